"""`caur-ci diff`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Repo
from caur_ci.cli.session import session_of
from caur_ci.errors import ConfigError, ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from caur_ci.git import GitRepository
    from caur_ci.judge import File, Judgement

_BRANCH = "update-"


@dataclass(frozen=True, slots=True)
class _State:
    """A package's folder in one state; `name` is the package's, empty where that is not known."""

    files: Mapping[str, File]
    name: str = ""
    config: bytes = b""


@dataclass(frozen=True, slots=True)
class _Changed:
    """The packages that differ, in both states; those at one end only; and what cannot be read."""

    pairs: Sequence[tuple[_State, _State]]
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    problems: Sequence[str] = ()


def diff(
    context: typer.Context,
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", help="A folder, REV:PACKAGE, or a branch; or REV..REV."),
    ],
    new: Annotated[
        str | None,
        typer.Argument(
            metavar="NEW",
            help="A folder, REV:PACKAGE, or a branch update-PACKAGE.",
            show_default=False,
        ),
    ] = None,
    *,
    repo: Repo = Path(),
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 where a change is major.")
    ] = False,
    sarif: Annotated[
        bool, typer.Option("--sarif", help="Print the findings as SARIF 2.1.0, for forges.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Show what changed in a package, word by word, and what the judge says of it.

    OLD and NEW are folders, packages at a commit (`main:PACKAGE`), or two branches of which one is
    named `update-PACKAGE`. `REV..REV` in place of both is about all packages that differ between
    two commits; one of them that cannot be read is named, and the command ends with 1. Nothing of
    what is shown is run.
    """
    if sarif and as_json:
        raise typer.BadParameter("--sarif and --json exclude each other")
    from caur_ci.judge import Verdict  # noqa: PLC0415 - keeps `--help` fast

    session = session_of(context)
    changed = _changed(repo, old) if new is None else _Changed([_states(repo, old, new)])
    judged = list(_judged(changed.pairs))
    if as_json or sarif:
        # A range is a list, however many packages it is about.
        session.print_plain(_document(judged, sarif=sarif, several=new is None))
    else:
        from caur_ci.cli.word_diff import print_diff  # noqa: PLC0415

        for before, after, judgement in judged:
            if new is None:
                session.out.print(f"[bold]{after.name}[/bold]")
            print_diff(session.out, before.files, after.files, judgement)
    for what, names in (("added", changed.added), ("removed", changed.removed)):
        if names:
            session.note(f"{what}, with nothing to compare: {', '.join(names)}")
    for problem in changed.problems:
        session.fail(problem)
    is_major = any(judgement.verdict is Verdict.MAJOR for *_, judgement in judged)
    return ExitCode.FAILED if changed.problems or (exit_code and is_major) else ExitCode.OK


def _judged(pairs: Iterable[tuple[_State, _State]]) -> Iterator[tuple[_State, _State, Judgement]]:
    from caur_ci.judge import PackageContext  # noqa: PLC0415
    from caur_ci.judge.limited import LimitedJudge  # noqa: PLC0415

    with LimitedJudge() as judge:
        for before, after in pairs:
            name = after.name or before.name
            package = PackageContext(name=name, allow=_allowed(before.config, name))
            yield before, after, judge.judge(before.files, after.files, package=package)


def _allowed(config: bytes, package: str) -> tuple[str, ...]:
    """Return what a package lets change quietly; nothing where its configuration is of no use."""
    from caur_ci.config import load_package_config  # noqa: PLC0415

    try:
        return load_package_config(config, origin=f"{package}/.CI/config").config.change_allow_regex
    except ConfigError:
        return ()


def _document(
    judged: Sequence[tuple[_State, _State, Judgement]], *, sarif: bool, several: bool
) -> str:
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.judge.sarif import as_sarif, as_sarif_of  # noqa: PLC0415

    named = [(after.name or before.name, judgement) for before, after, judgement in judged]
    if sarif and several:
        return to_json(as_sarif_of(named))
    if sarif:
        return to_json(as_sarif(named[0][1], folder=named[0][0]))
    if several:
        return to_json([{"package": name, **each.to_dict()} for name, each in named])
    return to_json(named[0][1].to_dict())


def _changed(repo: Path, text: str) -> _Changed:
    """Return the packages that differ at both ends of a range. Raises InputError, GitError."""
    from caur_ci.git import GitRepository  # noqa: PLC0415
    from caur_ci.judge.package import files_of_trees  # noqa: PLC0415
    from caur_ci.names import is_package_name  # noqa: PLC0415

    first, dots, last = text.partition("..")
    if not dots or not first or not last:
        raise InputError(
            f"{text} is compared with nothing", hint="Name OLD and NEW, or two commits as A..B."
        )
    git = GitRepository.open(repo)
    older, newer = (
        {name: tree for name, tree in _folders(git, end).items() if is_package_name(name)}
        for end in (first, last)
    )
    names = sorted(it for it in older.keys() & newer.keys() if older[it] != newer[it])
    configs = git.read_blobs([f"{older[name]}:.CI/config" for name in names])
    pairs, problems = [], []
    for name, config in zip(names, configs, strict=True):
        try:
            before, after = files_of_trees(git, older[name], newer[name])
        except InputError as error:
            problems.append(f"{name} cannot be judged: {error.message}")
        else:
            pairs.append((_State(before, name, config or b""), _State(after, name)))
    added, removed = sorted(newer.keys() - older.keys()), sorted(older.keys() - newer.keys())
    return _Changed(pairs, added, removed, problems)


def _folders(git: GitRepository, revision: str) -> dict[str, str]:
    """Return the tree of each folder at a commit."""
    entries = git.entries(git.commit_id(revision))
    return {entry.name: entry.object_id for entry in entries if entry.is_folder}


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
    trees = _folders(git, revision)
    if package not in trees:
        raise InputError(
            f"there is no package folder {package} at {revision}", hint="Name another commit."
        )
    (files,) = files_of_trees(git, trees[package])
    (config,) = git.read_blobs([f"{trees[package]}:.CI/config"])
    return _State(files, package, config or b"")
