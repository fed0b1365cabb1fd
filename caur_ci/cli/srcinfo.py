"""`caur-ci srcinfo`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion
from caur_ci.cli.options import AsJson, Repo, named_as_completed
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import CaurError, ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from caur_ci.confined import Confined
    from caur_ci.package_folders import WorkingFolders
    from caur_ci.pkgbuild.compare import Difference

_SHOWN = 3
# What has no `.SRCINFO` and needs none, see CI_SRCINFO.
_GENERATED = "generated"
_GOOD = frozenset({"in step", _GENERATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What is known of one package; `srcinfo` is None where it cannot be told, `problem` why."""

    package: str
    state: str
    srcinfo: bytes | None = None
    doubts: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    problem: str = ""
    hint: str = ""


Packages = Annotated[
    list[str] | None,
    typer.Argument(
        parser=named_as_completed,
        metavar="PACKAGE",
        help="Package folders. Default: all that have a PKGBUILD.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Check = Annotated[
    bool, typer.Option("--check", help="List the files that are missing or out of step instead.")
]
Write = Annotated[
    bool, typer.Option("--write", help="Write the files that are missing or out of step.")
]


def srcinfo(
    context: typer.Context,
    packages: Packages = None,
    *,
    check: Check = False,
    write: Write = False,
    repo: Repo = Path(),
    as_json: AsJson = False,
) -> int:
    """Show what the `.SRCINFO` of a package has to say, check it, or write it.

    It is found from the PKGBUILD without running it. Where that is not sure, makepkg is asked, in a
    bubblewrap sandbox without network. A field may differ in the order of its values, and the
    pkgver where there is a function pkgver(). Exit code 1: with `--check`, a file is missing or out
    of step; otherwise, one could not be made.
    """
    if check and write:
        raise typer.BadParameter("--check and --write exclude each other")
    from caur_ci.cli.working_tree import (  # noqa: PLC0415 - keeps `--help` fast
        as_folders,
        generates_srcinfo,
        working_root,
    )
    from caur_ci.package_folders import WorkingFolders  # noqa: PLC0415

    session = session_of(context)
    root = working_root(repo) or repo
    folders = WorkingFolders(root)
    results = _results(root, folders, _named(folders, as_folders(packages or (), root)))
    if not packages and generates_srcinfo(root):
        results = map(_not_needed, results)
    if as_json:
        return _as_json(session, root, list(results), write=write)
    show = _check if check else _write if write else _print
    return show(session, root, _noted(session, results))


def _named(folders: WorkingFolders, names: Iterable[str]) -> tuple[str, ...]:
    """Return the folders that are meant: those named, or all that have a PKGBUILD."""
    from caur_ci.names import suggestion  # noqa: PLC0415

    found = dict.fromkeys(name.removeprefix("./") for name in names)
    for name in found:
        if name not in folders.packages:
            raise InputError(
                f"there is no package folder {name!r}",
                hint=suggestion(name, folders.packages) or "Name a package folder.",
            )
    return tuple(found)


def _results(root: Path, folders: WorkingFolders, named: tuple[str, ...]) -> Iterator[_Result]:
    from caur_ci.confined import Confined  # noqa: PLC0415

    with Confined() as confined:
        for package in named or folders.packages:
            pkgbuild = folders.read("PKGBUILD", [package])[package]
            if pkgbuild is not None:
                committed = folders.read(".SRCINFO", [package])[package]
                yield _result(confined, root / package, pkgbuild, committed)
            elif named:
                problem = f"{package} has no PKGBUILD"
                yield _Result(package=package, state="unknown", problem=problem)


def _result(confined: Confined, folder: Path, pkgbuild: bytes, committed: bytes | None) -> _Result:
    from caur_ci.pkgbuild.generate import differences, generate  # noqa: PLC0415 - slow to import

    package = folder.name
    try:
        generated = generate(confined, folder, pkgbuild)
    except CaurError as error:
        return _Result(package=package, state="unknown", problem=error.message, hint=error.hint)
    doubts = tuple(map(str, generated.doubts))
    if committed is None:
        return _Result(package=package, state="missing", srcinfo=generated.srcinfo, doubts=doubts)
    problem = ""
    found: tuple[Difference, ...] = ()
    try:
        found = tuple(differences(confined, generated, committed, origin=f"{package}/.SRCINFO"))
    except InputError as error:
        problem = error.message
    return _Result(
        package=package,
        state="out of step" if found or problem else "in step",
        srcinfo=generated.srcinfo,
        doubts=doubts,
        differences=found,
        problem=problem,
    )


def _not_needed(result: _Result) -> _Result:
    """Take a file that is missing as one that is made whenever it is needed, where that is sure."""
    if result.state == "missing" and not result.doubts:
        return replace(result, state=_GENERATED)
    return result


def _noted(session: Session, results: Iterable[_Result]) -> Iterator[_Result]:
    """Tell of which packages makepkg was asked: its answer may differ from machine to machine."""
    for result in results:
        if result.srcinfo is not None and result.doubts:
            session.note(f"{result.package}: makepkg was asked, because of {result.doubts[0]}")
        yield result


def _print(session: Session, _root: Path, results: Iterable[_Result]) -> int:
    code = ExitCode.OK
    several = list(results)
    for result in several:
        if result.srcinfo is None:
            session.fail(result.problem, result.hint)
            code = ExitCode.FAILED
        else:
            if len(several) > 1:
                session.print_plain(f"# {result.package}/.SRCINFO")
            session.print_plain(result.srcinfo.decode("utf-8", "replace"))
    return code


def _check(session: Session, _root: Path, results: Iterable[_Result]) -> int:
    counts: dict[str, int] = {}
    wrong: list[str] = []
    for result in results:
        counts[result.state] = counts.get(result.state, 0) + 1
        if result.srcinfo is None:
            session.fail(result.problem, result.hint)
        elif result.state not in _GOOD:
            wrong.append(result.package)
            session.out.print(f"{result.package}/.SRCINFO: {result.state}", markup=False)
            for line in _lines(result):
                session.out.print(f"  {line}", markup=False)
    session.note(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    if wrong:
        shown = " ".join(wrong) if len(wrong) <= 20 else ""
        session.note(f"Write them with `caur-ci srcinfo --write{' ' + shown if shown else ''}`.")
    return ExitCode.OK if counts.keys() <= _GOOD else ExitCode.FAILED


def _lines(result: _Result) -> Iterator[str]:
    from caur_ci.plaintext import one_line  # noqa: PLC0415

    if result.problem:
        yield one_line(result.problem)
    for difference in result.differences:
        where = f"{difference.package}: " if difference.package else ""
        ours, theirs = set(difference.committed), set(difference.expected)
        committed = [value for value in difference.committed if value not in theirs]
        expected = [value for value in difference.expected if value not in ours]
        if not committed and not expected:
            # The same values at other places, or another number of times.
            committed, expected = list(difference.committed), list(difference.expected)
        yield one_line(
            f"{where}{difference.field}: .SRCINFO has {_values(committed)}, "
            f"the PKGBUILD {_values(expected)}"
        )


def _values(values: list[str]) -> str:
    if not values:
        return "nothing"
    more = len(values) - _SHOWN
    return ", ".join(values[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _write(session: Session, root: Path, results: Iterable[_Result]) -> int:
    from caur_ci.pkgbuild.generate import write_srcinfo  # noqa: PLC0415

    code = ExitCode.OK
    for result in results:
        if result.srcinfo is None:
            session.fail(result.problem, result.hint)
            code = ExitCode.FAILED
        elif result.state not in _GOOD:
            write_srcinfo(root / result.package, result.srcinfo)
            session.out.print(f"{result.package}/.SRCINFO: written", markup=False)
    return code


def _as_json(session: Session, root: Path, results: list[_Result], *, write: bool) -> int:
    import json  # noqa: PLC0415

    from caur_ci.pkgbuild.generate import write_srcinfo  # noqa: PLC0415

    failed = any(result.srcinfo is None for result in results)
    for result in results:
        if write and result.srcinfo is not None and result.state not in _GOOD:
            write_srcinfo(root / result.package, result.srcinfo)
    session.print_plain(json.dumps([_data(result) for result in results], indent=2))
    out_of_step = any(result.state not in _GOOD for result in results)
    return ExitCode.FAILED if failed or (out_of_step and not write) else ExitCode.OK


def _data(result: _Result) -> dict[str, object]:
    return {
        "package": result.package,
        "state": result.state,
        "sure": result.srcinfo is not None and not result.doubts,
        "doubts": list(result.doubts),
        "problem": result.problem,
        "srcinfo": None if result.srcinfo is None else result.srcinfo.decode("utf-8", "replace"),
        "differences": [
            {
                "package": difference.package,
                "field": difference.field,
                "committed": list(difference.committed),
                "expected": list(difference.expected),
            }
            for difference in result.differences
        ],
    }
