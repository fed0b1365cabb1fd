"""What the queue has to say about why a package is not being built."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.cli.findings import Finding
from caur_ci.cli.queue_view import one_line, state_of, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scheduler.queue import Blocker, Explanation, JobView

# A log: the id of its job, and the attempt.
Log = tuple[int, int]


def queue_findings(explanation: Explanation, log: Log | None) -> Iterator[Finding]:
    """Yield what `explanation` says, the most important things first.

    `log` is the latest log of the package.
    """
    for reason in explanation.reasons:
        yield _finding(reason)
    if explanation.pending is not None and explanation.blockers:
        yield _finding("What it waits for:", *_blockers(explanation, explanation.pending.job_id))
    if explanation.last is not None:
        yield _finding(_last_result(explanation.last))
    if log is not None:
        yield _finding(f"Its latest log is that of job {log[0]}, attempt {log[1]}.")


def _finding(text: str, *because: Finding) -> Finding:
    return Finding(source="queue", text=text, because=because)


def _blockers(explanation: Explanation, waiter: int) -> Iterator[Finding]:
    """Yield what the job `waiter` waits for; each job is explained once, at its first place."""
    waits_for: dict[int, list[Blocker]] = defaultdict(list)
    for blocker in explanation.blockers:
        waits_for[blocker.waiter].append(blocker)
    yield from _below(waiter, waits_for, {waiter})
    if explanation.more_blockers:
        yield _finding("and more")


def _below(
    waiter: int, waits_for: Mapping[int, Sequence[Blocker]], told: set[int]
) -> Iterator[Finding]:
    for blocker in waits_for.get(waiter, ()):
        job = blocker.job
        text = f"{job.identity} (job {job.job_id}) is {state_of(job)}"
        if blocker.name and blocker.name != job.identity.rpartition("/")[2]:
            text += f", and provides {blocker.name}"
        if job.job_id in told:
            yield _finding(f"{text}; see above")
            continue
        told.add(job.job_id)
        yield _finding(text, *_below(job.job_id, waits_for, told))


def _last_result(job: JobView) -> str:
    reason = f": {one_line(job.reason)}" if job.reason else ""
    ended = f" at {timestamp(job.finished)}" if job.finished else ""
    return f"Its latest build (job {job.job_id}) ended{ended} as {state_of(job)}{reason}"
