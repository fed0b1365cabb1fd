"""`caur-ci diff`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Repo
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.git import GitRepository
    from caur_ci.judge import File

_BRANCH = "update-"


@dataclass(frozen=True, slots=True)
class _State:
    """A package's folder in one state; `name` is the package's, empty where that is not known."""

    files: Mapping[str, File]
    name: str = ""
    config: bytes = b""


def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A folder, REV:PACKAGE, or a branch.")],
    new: Annotated[
        str,
        typer.Argument(metavar="NEW", help="A folder, REV:PACKAGE, or a branch update-PACKAGE."),
    ],
    *,
    repo: Repo = Path(),
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 where the change is major.")
    ] = False,
    sarif: Annotated[
        bool, typer.Option("--sarif", help="Print the findings as SARIF 2.1.0, for forges.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Show what changed in a package, word by word, and what the judge says of it.

    OLD and NEW are folders, packages at a commit (`main:PACKAGE`), or two branches of which one is
    named `update-PACKAGE`. Nothing of what is shown is run.
    """
    if sarif and as_json:
        raise typer.BadParameter("--sarif and --json exclude each other")
    from caur_ci.cli.data import to_json  # noqa: PLC0415 - keeps `--help` fast
    from caur_ci.config import load_package_config  # noqa: PLC0415
    from caur_ci.judge import PackageContext, Verdict  # noqa: PLC0415
    from caur_ci.judge.limited import LimitedJudge  # noqa: PLC0415
    from caur_ci.judge.sarif import as_sarif  # noqa: PLC0415

    session = session_of(context)
    before, after = _states(repo, old, new)
    name = after.name or before.name
    config = load_package_config(before.config, origin=f"{name}/.CI/config").config
    package = PackageContext(name=name, allow=config.change_allow_regex)
    with LimitedJudge() as judge:
        judgement = judge.judge(before.files, after.files, package=package)
    if as_json:
        session.print_plain(to_json(judgement.to_dict()))
    elif sarif:
        session.print_plain(to_json(as_sarif(judgement, folder=name)))
    else:
        from caur_ci.cli.word_diff import print_diff  # noqa: PLC0415

        print_diff(session.out, before.files, after.files, judgement)
    is_major = judgement.verdict is Verdict.MAJOR
    return ExitCode.FAILED if exit_code and is_major else ExitCode.OK


def _states(repo: Path, old: str, new: str) -> tuple[_State, _State]:
    package = next(
        (it.partition(":")[2].rstrip("/") for it in (new, old) if ":" in it and not _is_folder(it)),
        "",
    ) or next(
        (it.rpartition(_BRANCH)[2] for it in (new, old) if _BRANCH in it and not _is_folder(it)), ""
    )
    return _state(repo, old, package), _state(repo, new, package)


def _is_folder(text: str) -> bool:
    return Path(text).is_dir()


def _state(repo: Path, text: str, package: str) -> _State:
    """Return what an argument names. Raises InputError, GitError."""
    from caur_ci.git import GitRepository  # noqa: PLC0415
    from caur_ci.judge.package import files_in_folder  # noqa: PLC0415

    if _is_folder(text):
        folder = Path(text)
        config = folder / ".CI" / "config"
        return _State(
            files_in_folder(folder),
            folder.resolve().name,
            config.read_bytes() if config.is_file() and not config.is_symlink() else b"",
        )
    revision, colon, _ = text.partition(":")
    if not colon and not package:
        raise InputError(
            f"{text} is no folder, and which package is meant is not clear",
            hint="Name a folder, REV:PACKAGE, or a branch update-PACKAGE.",
        )
    return _committed(GitRepository.open(repo), revision, package)


def _committed(git: GitRepository, revision: str, package: str) -> _State:
    from caur_ci.judge.package import files_of_trees  # noqa: PLC0415
    from caur_ci.names import check_package_name  # noqa: PLC0415

    check_package_name(package)
    commit = git.commit_id(revision)
    trees = {entry.name: entry.object_id for entry in git.entries(commit) if entry.is_folder}
    if package not in trees:
        raise InputError(
            f"there is no package folder {package} at {revision}", hint="Name another commit."
        )
    (files,) = files_of_trees(git, trees[package])
    (config,) = git.read_blobs([f"{trees[package]}:.CI/config"])
    return _State(files, package, config or b"")
