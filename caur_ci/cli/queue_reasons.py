"""What the queue has to say about why a package is not being built."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.cli.queue_view import state_of, timestamp
from caur_ci.cli.reasons import Reason
from caur_ci.plaintext import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scheduler.queue import Blocker, Explanation, JobView, WorkerView

# A log: the id of its job, and the attempt.
Log = tuple[int, int]


def queue_reasons(
    explanation: Explanation, log: Log | None, workers: Iterable[WorkerView], end: str = ""
) -> Iterator[Reason]:
    """Yield what `explanation` says, the most important things first.

    `log` is the latest log of the package, `workers` are all there are. `end` says when a running
    build will have ended.
    """
    pending = explanation.pending
    for reason in explanation.reasons:
        yield _reason(first_line(reason))
    if end:
        verb = "was" if end.endswith(" ago") else "is"
        yield _reason(f"by its earlier builds, the end {verb} to be expected {end}")
    if pending is not None and explanation.blockers:
        yield _reason("the jobs that it waits for:", *_blockers(explanation, pending.job_id))
    if pending is not None and not explanation.able:
        ending = [worker.id for worker in workers if worker.draining and _builds(worker, pending)]
        if ending:
            yield _reason(f"workers that could build it were asked to end: {', '.join(ending)}")
    if explanation.last is not None and (pending or explanation.running):
        yield _reason(_last_result(explanation.last))
    if log is not None:
        yield _reason(
            f"its latest log is that of job {log[0]}, attempt {log[1]}: "
            f"`caur-ci logs {explanation.identity}` shows it"
        )


def _builds(worker: WorkerView, job: JobView) -> bool:
    if job.build_class.isdigit():
        return worker.build_class >= int(job.build_class)
    return worker.name == job.build_class


def _reason(text: str, *because: Reason) -> Reason:
    return Reason(source="queue", text=text, because=because)


def _blockers(explanation: Explanation, waiter: int) -> Iterator[Reason]:
    """Yield what the job `waiter` waits for; each job is explained once, at its first place."""
    waits_for: dict[int, list[Blocker]] = defaultdict(list)
    for blocker in explanation.blockers:
        waits_for[blocker.waiter].append(blocker)
    yield from _below(waiter, waits_for, {waiter})
    if explanation.more_blockers:
        yield _reason("and more")


def _below(
    waiter: int, waits_for: Mapping[int, Sequence[Blocker]], told: set[int]
) -> Iterator[Reason]:
    for blocker in waits_for.get(waiter, ()):
        job = blocker.job
        text = f"{job.identity} (job {job.job_id}) is {state_of(job)}"
        if blocker.name and blocker.name != job.identity.rpartition("/")[2]:
            text += f", and provides {blocker.name}"
        if job.job_id in told:
            yield _reason(f"{text}; see above")
            continue
        told.add(job.job_id)
        yield _reason(text, *_below(job.job_id, waits_for, told))


def _last_result(job: JobView) -> str:
    reason = f", {first_line(job.reason)}" if job.reason else ""
    ended = f" at {timestamp(job.finished)}" if job.finished else ""
    return f"its last job, {job.job_id}, ended{ended}: {state_of(job)}{reason}"
