"""Tells people and programs what an on-schedule run decided."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.cli.data import as_data
from caur_ci.cli.folding import section
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.plaintext import is_web_address, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.cli.session import Session
    from caur_ci.cli.tables import Rows
    from caur_ci.pipeline.on_schedule.options import OnScheduleResult
    from caur_ci.pipeline.on_schedule.plan import Row, ScheduleDecision, SchedulePlan

_STYLES = {
    ScheduleAction.ALARM: "bold red",
    ScheduleAction.UPDATE: "green",
    ScheduleAction.BUILD: "green",
    ScheduleAction.BUMP: "green",
    ScheduleAction.REVIEW: "cyan",
    ScheduleAction.HELD: "yellow",
    ScheduleAction.WAITING: "yellow",
    ScheduleAction.FAILED: "bold red",
    ScheduleAction.GONE: "red",
}
_NAMED = 10


def as_json(result: OnScheduleResult) -> str:
    """Return the run for other programs."""
    document = result.plan.to_dict()
    document["written"] = [str(path) for path in result.written]
    document["published"] = result.published
    document["commit"] = result.commit
    document["problems"] = list(result.problems)
    document["pages"] = dict(result.pages)
    document["aur"] = as_data(result.aur)
    return json.dumps(document, indent=2)


def print_report(session: Session, result: OnScheduleResult, *, forge: str, dry_run: bool) -> None:
    """Show the run to people, in parts that `forge` folds."""
    plan = result.plan
    _show_decisions(session, plan, forge)
    _show_hooks(session, plan, forge)
    _show_warnings(session, plan.warnings, forge)
    print_summary(session, result, dry_run=dry_run)


def print_summary(session: Session, result: OnScheduleResult, *, dry_run: bool) -> None:
    """Tell in a few lines how the run ended, naming what failed and why."""
    plan = result.plan
    for note in plan.notes:
        session.note(one_line(note))
    for reason, packages in _failures(plan).items():
        session.fail(f"{_names(packages)}: {one_line(reason)}")
    for problem in result.problems:
        session.warn(one_line(problem))
    ending = ""
    if dry_run:
        ending = "; dry run: nothing was written or pushed"
    elif result.published:
        ending = f"; published as {result.commit[:12]}" if result.commit else "; published"
    session.note(f"{plan.summary}{ending}")


def _show_decisions(session: Session, plan: SchedulePlan, forge: str) -> None:
    rows = plan.rows()
    if not rows:
        session.out.print("nothing to do")
        return
    if not forge:
        session.out.print(_table(rows))
        return
    with section(forge, "decisions", f"Decisions ({len(plan.reportable)})"):
        session.out.print(_table(rows))


def _table(rows: Iterable[Row]) -> Rows:
    from rich.text import Text  # noqa: PLC0415 - slow to import

    from caur_ci.cli.tables import table  # noqa: PLC0415 - slow to import

    shown = table("", None, "package", "decision", "version", "reason")
    for row in rows:
        link = f"link {row.link}" if is_web_address(row.link) else ""
        shown.add(
            row.package,
            Text(row.action.value, _STYLES.get(row.action, "")),
            row.versions,
            Text(one_line(row.reason), link),
        )
    return shown


def _show_hooks(session: Session, plan: SchedulePlan, forge: str) -> None:
    spoken = [decision for decision in plan.reportable if decision.output.strip()]
    if not forge:  # nothing is folded: only what explains a failure
        spoken = [decision for decision in spoken if decision.action is ScheduleAction.FAILED]
    if not spoken:
        return
    with section(forge, "hooks", f"What hooks printed ({len(spoken)})"):
        for decision in spoken:
            _show_output(session, decision)


def _show_output(session: Session, decision: ScheduleDecision) -> None:
    session.print_plain(f"{one_line(decision.package)}:")
    output = printable(decision.output)
    session.print_plain("".join(f"  {line}\n" for line in output.splitlines()))


def _show_warnings(session: Session, warnings: tuple[str, ...], forge: str) -> None:
    if not warnings:
        return
    if not forge:
        for warning in warnings:
            session.warn(one_line(warning))
        return
    with section(forge, "warnings", f"Warnings ({len(warnings)})"):
        for warning in warnings:
            session.print_plain(f"warning: {one_line(warning)}")


def _failures(plan: SchedulePlan) -> dict[str, list[str]]:
    """Return the packages that failed by the reason."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for decision in plan.failed:
        found[decision.reason].append(decision.package)
    return found


def _names(packages: list[str]) -> str:
    more = len(packages) - _NAMED
    return ", ".join(packages[:_NAMED]) + (f" and {more} more" if more > 0 else "")
