"""Tells people what was pushed to the AUR, and what was not and why."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.errors import ExitCode
from caur_ci.pipeline.aur_pushing.outcome import AurState
from caur_ci.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.cli.session import Session
    from caur_ci.pipeline.aur_pushing.outcome import AurOutcome, AurReport

_NAMED = 10


def print_aur_report(session: Session, report: AurReport, *, asked: bool = False) -> None:
    """Tell what came of a round; what waits as before only those who have `asked`."""
    for problem in report.problems:
        session.fail(one_line(problem))
    for note in report.notes:
        session.note(one_line(note))
    waiting: defaultdict[str, list[str]] = defaultdict(list)
    for outcome in report.outcomes:
        if outcome.state is AurState.WAITING:
            if asked or outcome.is_news:
                waiting[outcome.reason].append(outcome.package)
        else:
            _print_outcome(session, outcome)
    for reason, packages in waiting.items():
        session.note(f"{_names(packages)}: not pushed to the AUR yet: {one_line(reason)}")


def aur_exit_code(report: AurReport) -> ExitCode:
    """Return what a run ends with, if all else went well: what only waits is no failure."""
    return ExitCode.PARTIAL if report.needs_somebody else ExitCode.OK


def _print_outcome(session: Session, outcome: AurOutcome) -> None:
    name, reason = outcome.package, one_line(outcome.reason)
    if outcome.state is AurState.PUSHED:
        new = ", as a new package" if outcome.is_new else ""
        session.note(f"{name} {outcome.version} was pushed to the AUR{new}: {outcome.commit[:12]}")
        if outcome.left_out:
            session.note(
                f"{name}: not pushed, because its .SRCINFO names none of it: "
                f"{_names(outcome.left_out)}"
            )
    elif outcome.state is AurState.REFUSED:
        session.fail(f"{name} cannot be pushed to the AUR: {reason}", outcome.hint)
    elif outcome.state is AurState.DIVERGED:
        session.fail(f"{name} is not pushed over others: {reason}", outcome.hint)
        for line in outcome.difference:
            session.note(f"    {line}")
    elif outcome.state is AurState.IN_STEP:
        session.note(f"{name} {outcome.version} is at the AUR: {outcome.commit[:12]}")


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
