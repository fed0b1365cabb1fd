"""`caur-ci queue list`, `show`, `quarantine` and `removals`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Jobs, Redis
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode
from caur_ci.plaintext import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scheduler.job import JobSpec, Usage
    from scheduler.queue import JobView, QueueReader, QueueSnapshot


class QueueSection(StrEnum):
    """The parts of the queue, in the order in which it hands jobs out."""

    ACTIVE = "active"
    READY = "ready"
    WAITING = "waiting"
    HELD = "held"
    DELAYED = "delayed"
    QUARANTINE = "quarantine"
    RECENT = "recent"


_MEBIBYTE = 1024 * 1024
_USUAL = tuple(section for section in QueueSection if section is not QueueSection.RECENT)

Limit = Annotated[
    int,
    typer.Option(
        "--limit", metavar="N", min=1, max=100_000, help="How many jobs of each kind to show."
    ),
]


def list_jobs(
    context: typer.Context,
    *,
    places: Annotated[
        list[QueueSection] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Only jobs that are `active` (being built, built, staged, being published), "
            "`ready`, `waiting`, `held` (a dependency failed), `delayed` (the worker was lost or "
            "could not build) or in `quarantine`, or `recent` results. May be repeated. Default: "
            "all but recent results.",
            show_default=False,
        ),
    ] = None,
    limit: Limit = 100,
    redis: Redis = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs in the queue, in the order in which they are handed out."""
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    queue = open_queue(session, redis)
    snapshot = queue.snapshot(limit=limit)
    wanted = tuple(dict.fromkeys(places)) if places else _USUAL
    jobs = [job for section in wanted for job in getattr(snapshot, section.value)]
    _show_jobs(session, snapshot.time, jobs, as_json=as_json)
    left_out = sum(_left_out(snapshot, section) for section in wanted)
    if left_out:
        session.note(f"{left_out} more are not shown; --limit N shows more")
    if snapshot.total_groups:
        session.note(f"rebuild groups: {snapshot.total_groups}; see `caur-ci queue groups`")
    if held := sum(view.held for view in queue.removals()):
        session.note(f"removals that wait to be confirmed: {held}; see `caur-ci queue removals`")


def quarantine(
    context: typer.Context, *, limit: Limit = 100, redis: Redis = None, as_json: AsJson = False
) -> None:
    """List the jobs in quarantine, and why they are there.

    A job gets there when, each time that it was tried, its worker was lost, as if the build took it
    down, or could not build for want of a network or the like. `caur-ci queue retry` tries it
    again, `caur-ci queue cancel` dismisses it.
    """
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    snapshot = open_queue(session, redis).snapshot(limit=limit)
    _show_jobs(session, snapshot.time, snapshot.quarantine, as_json=as_json)
    if left_out := _left_out(snapshot, QueueSection.QUARANTINE):
        session.note(f"{left_out} more are not shown; --limit N shows more")


def removals(context: typer.Context, *, redis: Redis = None, as_json: AsJson = False) -> None:
    """List the removals that are not done, with those that are held back first.

    A removal of a large share of a repository is held back until
    `caur-ci auto-repo-remove --target-repo NAME --confirm` carries it out, or `--dismiss` forgets
    it.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import
    from caur_ci.cli.queue_view import removal_table  # noqa: PLC0415

    session = session_of(context)
    found = open_queue(session, redis).removals()
    if as_json:
        session.print_plain(to_json(found))
    elif found:
        session.out.print(removal_table(found, whole=not session.out.is_terminal))
    else:
        session.out.print("no removals")


def show(
    context: typer.Context, *, packages: Jobs, redis: Redis = None, as_json: AsJson = False
) -> int:
    """Show all that the queue knows of some jobs.

    Of a package these are the job that waits and the one that runs, or else the latest result.

    Ends with 3 if only some of them are known, with 1 if none is.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.queue.answers import report  # noqa: PLC0415
    from caur_ci.cli.queue.targets import resolved  # noqa: PLC0415
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    queue = open_queue(session, redis)
    targets, unclear = resolved(queue, packages)
    found = [_with_spec(queue, job) for target in targets for job in queue.find(str(target))]
    if as_json:
        session.print_plain(to_json([{"job": job, "spec": spec} for job, spec in found]))
    else:
        for number, (job, spec) in enumerate(found):
            if number:
                session.out.print()
            for line in _lines(job, spec):
                session.out.print(line, markup=False)
    code = report(session, unclear, as_json=False)
    return ExitCode.PARTIAL if found and code else code


def _show_jobs(session: Session, now: float, jobs: Sequence[JobView], *, as_json: bool) -> None:
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.queue_view import job_table  # noqa: PLC0415

    if as_json:
        session.print_plain(to_json(jobs))
    elif jobs:
        session.out.print(job_table(now, jobs))
    else:
        session.out.print("no jobs")


def _left_out(snapshot: QueueSnapshot, section: QueueSection) -> int:
    if section is QueueSection.RECENT:  # nobody counts them
        return 0
    total: int = getattr(snapshot, f"total_{section.value}")
    return total - len(getattr(snapshot, section.value))


def _with_spec(queue: QueueReader, job: JobView) -> tuple[JobView, JobSpec | None]:
    return job, queue.spec(job.job_id)


def _taken(usage: Usage) -> str:
    seconds, memory = usage.cpu_seconds, usage.peak_memory
    parts = [
        f"{seconds:.0f} s of the processor" if seconds is not None else "",
        f"{memory / _MEBIBYTE:,.0f} MiB of memory at most" if memory is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _lines(job: JobView, spec: JobSpec | None) -> Iterator[str]:
    """Yield what is known of a job, one thing per line, as `name: value`."""
    from caur_ci.cli.queue_view import state_of, timestamp  # noqa: PLC0415

    yield f"{job.identity} (job {job.job_id}): {state_of(job)}"
    facts: dict[str, object] = {
        "why": first_line(job.reason),
        "held by": ", ".join(job.held_by),
        "rebuild group": job.group,
        "not before": timestamp(job.delayed_until),
        "promoted": "yes" if job.promoted else "",
        "class": job.build_class,
        "attempts": job.attempt or "",
        "lost": job.lost or "",
        "worker": job.worker,
        "submitted": timestamp(job.submitted),
        "started": timestamp(job.started),
        "built": timestamp(job.landed),
        "ended": timestamp(job.finished),
        "delivery": job.delivery,
        "took": _taken(job.usage),
    }
    if spec is not None:
        facts |= {
            "source": f"{spec.source_repo} at commit {spec.commit}",
            "asked for by": first_line(spec.reason),
            "pipeline": spec.commit_reference.partition(":")[2],
            "packages": " ".join(spec.pkgnames),
            "provides": " ".join(spec.provides),
            "depends on": " ".join(spec.depends),
            "mirror": spec.arch_mirror,
            "when a dependency fails": spec.on_failure.value,
            "when it is older than what is published": spec.on_older.value,
        }
    for name, value in facts.items():
        if value:
            yield f"  {name}: {value}"
