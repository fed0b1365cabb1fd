"""A validation for people: by package, the gravest in colour, and a sum at the end."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from caur_ci.validation import Severity

if TYPE_CHECKING:
    from caur_ci.cli.session import Session
    from caur_ci.pipeline.validating.journey import Validation
    from caur_ci.validation import Finding, Report

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_WIDTH = max(map(len, _STYLES))
# Of notes with one code, before they are told in one line.
_TOLD_ALONE = 10
_NAMED = 5


def show_report(session: Session, report: Report, *, every: bool) -> None:
    """Print a report. Many notes of one code are one line, unless `every` one is wanted."""
    counts = Counter(it.code for it in report.findings if it.severity is Severity.NOTE)
    many = {code for code, count in counts.items() if count > _TOLD_ALONE and not every}
    told: set[str] = set()
    alone = [it for it in report.findings if it.code not in many]
    for package, findings in groupby(alone, lambda it: it.package):
        session.out.print(Text(package or "the repository itself", "bold"))
        for found in findings:
            session.out.print(_line(found))
            if found.remedy not in told:
                told.add(found.remedy)
                session.out.print(Text(f"  {'':{_WIDTH}}  {found.remedy}", "dim"))
    for code in sorted(many):
        session.out.print(_together(code, [it for it in report.findings if it.code == code]))
    for sentence in report.not_checked:
        session.note(f"not checked: {sentence}")
    session.note(_sum(report))


def _line(found: Finding) -> Text:
    place = found.file.removeprefix(f"{found.package}/") if found.package else found.file
    where = f"{place}:{found.line}" if found.line else place
    return Text.assemble(
        "  ",
        (f"{found.severity.value:{_WIDTH}}", _STYLES[found.severity]),
        f"  {where}: {found.message}  ",
        (f"({found.code})", "dim"),
    )


def _together(code: str, findings: list[Finding]) -> Text:
    names = list(dict.fromkeys(found.package for found in findings))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Text.assemble(
        (f"{len(findings):,} notes ", _STYLES[Severity.NOTE]),
        f"{code}: {', '.join(names[:_NAMED])}{more}",
        (f"  {findings[0].remedy} --all shows each.", "dim"),
    )


def _sum(report: Report) -> str:
    packages = _counted(len(report.packages), "package")
    if not report.findings:
        told = f"nothing is wrong in {packages}"
    else:
        of = len({found.package for found in report.findings if found.package})
        counts = (
            _counted(count, severity.value)
            for severity in Severity
            if (count := report.count(severity))
        )
        told = f"{', '.join(counts)} in {of:,} of {packages}"
    return f"{told}; {report.silenced:,} silenced" if report.silenced else told


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def show_edits(session: Session, done: Validation, *, as_diff: bool, aside: bool) -> None:
    """Tell what was mended, or show it as a diff that nobody has applied.

    `aside`: standard output is for something else.
    """
    out = session.err if aside else session.out
    if as_diff:
        for edit in done.edits:
            out.file.write(edit.diff())  # a console would make blanks of its tabs
        session.note(f"{_counted(len(done.edits), 'file')} would be changed")
        return
    for edit in done.edits:
        codes = {it.code for it in done.mended if it.mend is not None and it.mend.path == edit.path}
        out.print(f"{_shown(edit.path)}: mended ({', '.join(sorted(codes))})", markup=False)


def _shown(path: str) -> str:
    from caur_ci.plaintext import one_line  # noqa: PLC0415 - seldom needed

    return one_line(path)
