"""The request for packages that somebody named on the command line."""

from __future__ import annotations

import os
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.cli.architectures import architectures_of, named_targets
from caur_ci.cli.options import package_list
from caur_ci.cli.working_tree import folder_of
from caur_ci.deptree import WireEntry, read_wire
from caur_ci.errors import GitError, InputError
from caur_ci.names import (
    check_package_name,
    check_repository_name,
    check_worker_name,
    suggestion,
)
from caur_ci.request import BuildRequest, PackageRequest, normalize_build_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_COMMIT = re.compile(r"(?P<sha>[0-9a-f]{7,64})(?::(?P<pipeline>[0-9]+))?")
# What a line of pacman's list of mirrors can hold.
_MIRROR = re.compile(r"(?:https?|file)://[!-~]+")
_FULL_ID_LENGTHS = {40, 64}
_ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPackages:
    """The options of `caur-ci schedule PACKAGE…`."""

    packages: tuple[str, ...]
    target_repo: str | None
    source_repo: str | None
    commit: str | None
    arch: str | None
    arch_mirror: str
    deptree: str | None
    without_order: bool
    repo: Path
    on_failure: str = "proceed"
    on_running: str = "follow"
    on_older: str = "refuse"


def named_request(named: NamedPackages) -> BuildRequest:
    """Return the request for the packages in `named`. Raises InputError."""
    source_repo, target_repo = _repositories(named)
    tree = {} if named.without_order else _dependency_tree(named)
    commit, reference = _commit(named)
    words = _words(named.packages, tree)
    return BuildRequest(
        request_id=uuid.uuid4().hex,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source_repo=check_repository_name(source_repo),
        target_repo=check_repository_name(target_repo),
        commit=commit,
        arch=architectures_of(named.arch, named.repo)[0],
        arch_mirror=_mirror(named.arch_mirror),
        commit_reference=reference,
        on_failure=named.on_failure,
        on_running=named.on_running,
        on_older=named.on_older,
        packages=tuple(_for_targets([_package(word, tree, named.repo) for word in words], named)),
    )


def names_all(packages: Iterable[str]) -> bool:
    """Tell whether words that name packages ask for all that there are."""
    words = (word for text in packages for word in package_list(text))
    return any(word.partition("/")[0] == _ALL for word in words)


def _for_targets(packages: list[PackageRequest], named: NamedPackages) -> Iterator[PackageRequest]:
    """Yield the packages once for each architecture that they are built for."""
    first = architectures_of(named.arch, named.repo)[0]
    names = [package.pkgbase for package in packages]
    # Of all, those that are built for nothing are left out.
    leaving_out = names_all(named.packages)
    targets = named_targets(names, named.arch, named.repo, leaving_out=leaving_out)
    for package in packages:
        for target in targets[package.pkgbase]:
            arch = "" if target.arch == first else target.arch
            yield replace(package, arch=arch, shared_with=target.shared_with)


def _repositories(named: NamedPackages) -> tuple[str, str]:
    """Return the names of source and target repository, from `.ci/config` where not given."""
    from caur_ci.cli.head_config import head_config  # noqa: PLC0415
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import

    source_repo, target_repo = named.source_repo, named.target_repo
    if source_repo is None or target_repo is None:
        with suppress(GitError):
            config = head_config(GitRepository.open(named.repo))
            if config.build_repo or config.repo_name:
                source_repo = source_repo or config.source_repo
                target_repo = target_repo or config.target_repo
    if source_repo is None or target_repo is None:
        raise InputError(
            "where the packages come from and are published is not known",
            hint="Run this in the repository of PKGBUILDs, whose .ci/config has BUILD_REPO and "
            "REPO_NAME, or give --source-repo NAME and --target-repo NAME.",
        )
    return source_repo, target_repo


def _package(word: str, tree: Mapping[str, WireEntry], repo: Path) -> PackageRequest:
    name, slash, build_class = word.partition("/")
    check_package_name(name)
    if tree and name not in tree:
        name = folder_of(name, repo) or name
    if tree and name not in tree:
        raise InputError(
            f"the dependency tree has no package {name!r}",
            hint=suggestion(name, tree)
            or "Name a committed folder; `caur-ci schedule --without-order` takes any name.",
        )
    entry = tree.get(name, WireEntry(name))
    return PackageRequest(
        pkgbase=name,
        build_class=normalize_build_class(check_worker_name(build_class)) if slash else None,
        pkgnames=entry.pkgnames,
        depends=tuple(need for need in entry.depends if need not in entry.pkgnames),
        reason="asked for by name",
    )


def _mirror(url: str) -> str:
    if url and not _MIRROR.fullmatch(url):
        raise InputError(
            f"--arch-mirror {url}: not the address of a mirror",
            hint="It looks like https://HOST/archlinux or https://HOST/$repo/os/$arch.",
        )
    return url


def _words(packages: tuple[str, ...], tree: Mapping[str, WireEntry]) -> Iterator[str]:
    """Yield each package of `a:b/class` and `a,b`, as the existing pipelines write lists.

    All that there are for `all`. Raises InputError where these are not known.
    """
    for word in dict.fromkeys(name for text in packages for name in package_list(text)):
        name, slash, build_class = word.partition("/")
        if name != _ALL or name in tree:
            yield word
            continue
        if not tree:
            raise InputError(
                "which packages there are is not known without the dependency tree",
                hint="Leave --without-order out.",
            )
        yield from (f"{one}{slash}{build_class}" for one in tree)


def _commit(named: NamedPackages) -> tuple[str, str]:
    """Return the full commit id and the reference for commit statuses."""
    match = _COMMIT.fullmatch(named.commit) if named.commit else None
    if named.commit and match is None:
        raise InputError(f"--commit {named.commit}: expected SHA or SHA:PIPELINE")
    revision, pipeline = (match["sha"], match["pipeline"]) if match else ("HEAD", None)
    commit = revision if len(revision) in _FULL_ID_LENGTHS else _resolved(named.repo, revision)
    return commit, f"{commit}:{pipeline}" if pipeline else commit


def _resolved(repo: Path, revision: str) -> str:
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import

    try:
        return GitRepository.open(repo).commit_id(revision)
    except GitError as error:
        raise InputError(
            f"which commit is to be built is not clear: {error.message}",
            hint="Give the full id with --commit SHA.",
        ) from error


def _dependency_tree(named: NamedPackages) -> dict[str, WireEntry]:
    text, origin = _tree_text(named)
    return {entry.package: entry for entry in read_wire(text, origin=origin)}


def _tree_text(named: NamedPackages) -> tuple[str, str]:
    if named.deptree is not None:
        return named.deptree, "--deptree"
    checkouts = [os.environ.get(name) for name in ("CI_PROJECT_DIR", "GITHUB_WORKSPACE")]
    for folder in (str(named.repo), *filter(None, checkouts)):
        path = Path(folder, ".ci", "deptree.txt")
        if path.is_file():
            return path.read_text(encoding="utf-8"), str(path)
    with suppress(GitError):
        return _tree_at_head(named.repo), "HEAD"
    raise InputError(
        "there is no dependency tree, so the packages would be built in any order",
        hint="Run in the repository of PKGBUILDs or where .ci/deptree.txt is (`caur-ci on-commit` "
        "and `caur-ci deptree --format wire` write it), give it with --deptree, or say "
        "--without-order.",
    )


def _tree_at_head(repo: Path) -> str:
    """Return the dependency tree of HEAD. Raises GitError where `repo` is in no repository."""
    from caur_ci.cli.head_config import head_config  # noqa: PLC0415
    from caur_ci.deptree import DependencyTree, entries_of, write_wire  # noqa: PLC0415
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import
    from caur_ci.package_folders import CommittedFolders  # noqa: PLC0415

    git = GitRepository.open(repo)
    generate = head_config(git).generate_srcinfo
    folders = CommittedFolders.at(git, git.commit_id("HEAD"), generate=generate)
    return write_wire(entries_of(DependencyTree.read_each(folders.srcinfos())))
