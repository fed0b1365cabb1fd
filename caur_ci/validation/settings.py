"""Settings that do nothing, or cannot do what they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.architectures import build_targets
from caur_ci.errors import InputError
from caur_ci.interfere import InterfereError, bumped_pkgrel
from caur_ci.interfere.bump import configured_bump
from caur_ci.judge.sources import Source
from caur_ci.validation.catalogue import finding
from caur_ci.validation.snapshot import NVCHECKER_FILES, PACKAGE_CONFIG, REPOSITORY_CONFIG
from caur_ci.versions import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from caur_ci.config import PackageConfig
    from caur_ci.validation.model import Finding
    from caur_ci.validation.view import PackageView, RepositoryView


def check_settings(view: PackageView, repository: RepositoryView) -> Iterator[Finding]:
    """Yield which settings of a package do nothing."""
    config = view.config
    if config is None:
        return
    yield from _bump(view, config)
    yield from _followed(view, config)
    yield from _names(view, config)
    yield from _architectures(view, config, repository.config.architectures)
    if config.rebuild_triggers and not repository.config.lib_db:
        what = "CI_REBUILD_TRIGGERS does nothing without CI_LIB_DB in .ci/config"
        yield _about(view, "key-idle", "CI_REBUILD_TRIGGERS", what)
    if config.manage_aur and not repository.config.manage_aur:
        yield _about(view, "aur-push-off", "CI_MANAGE_AUR")
    for expression in config.change_allow_regex:
        if not _is_expression(expression):
            key = "CI_PKGBUILD_CHANGE_ALLOW_REGEX"
            yield _about(view, "expression-unreadable", key, expression)
    serves = repository.surroundings.serves
    if serves is not None and config.build_class is not None and not serves(config.build_class):
        yield _about(view, "class-unserved", "BUILDER_CLASS", f"BUILDER_CLASS={config.build_class}")


def _architectures(
    view: PackageView, config: PackageConfig, architectures: Sequence[str]
) -> Iterator[Finding]:
    """Yield architectures that the repository does not have, or that none is left."""
    key, every = "CI_ARCHITECTURES", " ".join(architectures)
    for arch in config.architectures:
        if arch not in architectures:
            what = f"{key} names {arch}, which the repository is not built for ({every})"
            yield _about(view, "architecture-missed", key, what)
    declared = view.fields.arch if view.fields else ()
    if declared and not build_targets(declared, architectures, config.architectures):
        what = f"built for nothing: arch has {' '.join(declared)}, the repository {every}"
        yield view.about("architecture-missed", "arch", what=what)


def check_triggers(repository: RepositoryView) -> Iterator[Finding]:
    """Yield which libraries that settings name are nowhere, where the databases are known."""
    outside = repository.surroundings.provided
    if outside is None:
        return
    inside = _names_inside(repository)
    for name in sorted(repository.checked):
        view = repository.packages[name]
        if view.config is not None:
            for unknown in _unknown(view.config.rebuild_triggers, inside, outside):
                yield _about(view, "trigger-unknown", "CI_REBUILD_TRIGGERS", unknown)


def check_repository_settings(
    repository: RepositoryView, lines: Mapping[str, int]
) -> Iterator[Finding]:
    """Yield which settings of `.ci/config` do nothing; `lines` has where its keys are."""
    config = repository.config

    def found(code: str, key: str, what: str) -> Finding:
        return finding(code, file=REPOSITORY_CONFIG, line=lines.get(key, 0), what=what)

    for key, needed in _idle(repository):
        if key in lines:
            yield found("key-idle", key, f"{key} does nothing without {needed}")
    yield from _repository_names(repository, found)
    serves, default = repository.surroundings.serves, config.default_class
    if serves is not None and default is not None and not serves(default):
        yield found("class-unserved", "CI_DEFAULT_CLASS", f"CI_DEFAULT_CLASS={default}")


def _idle(repository: RepositoryView) -> Iterator[tuple[str, str]]:
    """Yield keys of `.ci/config` that do nothing, with what they take to do something."""
    config = repository.config
    followed = config.nvchecker_review and any(
        view.config is not None and view.config.nvchecker for view in repository.packages.values()
    )
    if not config.human_review and not followed:
        yield "CI_HUMAN_REVIEW_ASSIGNEE", "CI_HUMAN_REVIEW=true"
        yield "CI_HUMAN_REVIEW_REVIEWERS", "CI_HUMAN_REVIEW=true"
    if not config.lib_db:
        for key in ("CI_REBUILD_TRIGGERS", "CI_REBUILD_BLACKLIST", "CI_REBUILD_ABI"):
            yield key, "CI_LIB_DB"
    if config.rebuild_auto and not config.repo_db:
        yield "CI_REBUILD_AUTO", "CI_REPO_DB"


def _repository_names(
    repository: RepositoryView, found: Callable[[str, str, str], Finding]
) -> Iterator[Finding]:
    outside, config = repository.surroundings.provided, repository.config
    if outside is None:
        return
    inside = _names_inside(repository)
    for key, names in (
        ("CI_REBUILD_TRIGGERS", config.rebuild_triggers),
        ("CI_REBUILD_BLACKLIST", config.rebuild_blacklist),
        ("CI_REBUILD_ABI", config.rebuild_abi),
    ):
        for name in _unknown(names, inside, outside):
            yield found("trigger-unknown", key, name)


def _names_inside(repository: RepositoryView) -> set[str]:
    tree = repository.tree
    names = {
        name for package in tree for name in (*tree.pkgnames(package), *tree.provides(package))
    }
    return {*names, *tree, *(fields.pkgbase for fields in tree.fields.values())}


def _unknown(
    names: Iterable[str], inside: Collection[str], outside: Collection[str]
) -> Iterator[str]:
    return (name for name in dict.fromkeys(names) if name not in inside and name not in outside)


def _about(view: PackageView, code: str, key: str, what: str = "") -> Finding:
    return view.found(code, PACKAGE_CONFIG, view.config_lines.get(key, 0), what=what)


def _bump(view: PackageView, config: PackageConfig) -> Iterator[Finding]:
    given = [key for key in ("CI_PACKAGE_BUMP", "CI_PKGREL") if key in view.config_lines]
    if config.manage_aur:
        if config.bump is not None or config.pkgrel_bump:
            yield _about(view, "bump-unused", given[0])
        return
    bump = configured_bump(config)
    if bump is None or view.fields is None:
        return
    try:
        bumped_pkgrel(config, view.fields.version)
        is_other = bool(bump.version) and _differ(bump.version, view.fields.version)
    except InterfereError as error:
        yield _about(view, "bump-impossible", given[0], error.message)
        return
    if is_other:
        what = f"{bump.version}, and the package is at {view.fields.version}"
        yield _about(view, "bump-outdated", given[0], what)


def _differ(one: str, other: str) -> bool:
    try:
        return Version.parse(one).compare(Version.parse(other)) != 0
    except InputError:
        return False


def _followed(view: PackageView, config: PackageConfig) -> Iterator[Finding]:
    """Yield what is wrong with how new versions are found."""
    if config.nvchecker:
        files = [name for name in NVCHECKER_FILES if name in view.folder.files]
        if not files:
            yield _about(view, "nvchecker-missing", "CI_NVCHECKER")
        elif view.nvchecker_problem:
            yield view.found("nvchecker-unreadable", files[0], what=view.nvchecker_problem)
    is_gitlab = config.source is not None and config.source.kind == "gitlab"
    if config.prereleases and not is_gitlab:
        yield _about(view, "prereleases-unused", "CI_PRERELEASES")
    follows = {"CI_FORCE_VCS": config.force_vcs, "CI_VCS_INTERVAL": config.vcs_interval is not None}
    if any(follows.values()) and view.fields is not None and not _has_repository(view):
        for key in filter(follows.get, follows):
            yield _about(view, "vcs-unused", key, key)


def _has_repository(view: PackageView) -> bool:
    return any(
        Source.of(entry.value).is_repository
        for _, entries in view.srcinfo.with_architectures("source")
        for entry in entries
    )


def _names(view: PackageView, config: PackageConfig) -> Iterator[Finding]:
    made = view.fields.pkgnames if view.fields is not None else config.allow_names
    for name in config.allow_names:
        if name not in made and not view.may_be_renamed:
            yield _about(view, "names-unused", "CI_ALLOW_NAMES", name)


def _is_expression(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
