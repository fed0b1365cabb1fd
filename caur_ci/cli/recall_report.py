"""Shows what came from packages, to people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.data import to_json
from caur_ci.cli.queue_view import timestamp
from caur_ci.cli.tables import table
from caur_ci.plaintext import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from caur_ci.cli.recall_findings import Build, Findings
    from caur_ci.cli.session import Session
    from scheduler.database.traces import Trace

_DECISIONS = 10


def show(session: Session, findings: Sequence[Findings], *, as_json: bool) -> None:
    """Print what is known about each package."""
    if as_json:
        session.print_plain(to_json(list(findings)))
        return
    for number, it in enumerate(findings):
        if number:
            session.out.print()
        session.out.print(f"{it.package}: {'; '.join(_facts(it))}", markup=False)
        for part in _parts(it):
            session.out.print(part)


def _facts(it: Findings) -> Iterator[str]:
    if it.is_recalled:
        yield "was recalled before"
    if it.is_gone:
        yield "gone from the AUR"
    if it.hold is not None:
        yield str(it.hold)
    if it.maintainer:
        yield f"maintained by {first_line(it.maintainer)}"
    if it.source_commit:
        yield f"taken over at upstream commit {first_line(it.source_commit)}"
    where = ", ".join("/".join(place) for place in it.targets)
    yield f"may be published in {where}"


def _parts(it: Findings) -> Iterator[RenderableType]:
    if it.decisions:
        rows = table("Decisions", len(it.decisions), "when", "by", "commit", "what", "why")
        for entry in it.decisions[:_DECISIONS]:
            what = f"{entry.before} → {entry.after}" if entry.after else entry.decision
            when = timestamp(entry.time)
            rows.add(when, entry.run, entry.commit[:12], what, first_line(entry.reason))
        yield rows
    rows = table("Jobs", len(it.builds), "job", "package", "commit", "when", "attempts", "result")
    for build in it.builds:
        rows.add(*_cells_of_build(build))
    yield rows
    if it.traces is None:
        return
    rows = table("Files", len(it.traces), "file", "repository", "generations", "where it is")
    for trace in it.traces:
        rows.add(*_cells_of_trace(trace))
    yield rows


def _cells_of_build(build: Build) -> Iterator[str]:
    yield str(build.job_id)
    yield build.identity
    yield build.commit[:12]
    yield timestamp(build.ended or build.submitted)
    yield str(build.attempts)
    state = "not ended" if build.outcome is None else build.outcome.name.lower().replace("_", " ")
    yield f"{state}: {first_line(build.reason)}" if build.reason else state


def _cells_of_trace(trace: Trace) -> Iterator[str]:
    yield trace.filename
    yield f"{trace.target_repo}/{trace.arch}"
    (first, since), (last, until) = trace.generations[0], trace.generations[-1]
    if first == last:
        yield f"{first} ({timestamp(since)})"
    else:
        yield f"{first} ({timestamp(since)}) to {last} ({timestamp(until)})"
    listed = ("listed now",) if trace.is_listed else ()
    yield ", ".join((*listed, *(trace.paths or ("gone",))))
