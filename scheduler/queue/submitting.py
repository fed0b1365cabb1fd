"""What hands requests over to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from scheduler.job import OnRunning
from scheduler.queue.codec import JobEncoder, check_request_id, encode_removal
from scheduler.queue.model import PROTOCOL, Refusal, Submission
from scheduler.queue.reader import QueueReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.job import JobSpec, Removal


class Submitting(QueueReader):
    """The side of the queue where requests come in."""

    def submit(
        self,
        request_id: str,
        jobs: Sequence[JobSpec],
        removals: Sequence[Removal] = (),
        *,
        on_running: OnRunning = OnRunning.FOLLOW,
    ) -> Submission:
        """Take the whole request in one step; when this returns, it is kept.

        Repeating a request id is harmless: it is told as `known` and nothing is done.
        A pending job of the same identity gets the new content and keeps its turn; a running one
        gets the new job as its successor, and with `on_running` CANCEL is asked to end. The
        removals come before the jobs of the same request. Jobs that cannot be accepted are refused
        one by one, the others are taken. A repository that no running service has registered is a
        reason to refuse a job, once any has registered some.

        Raises InputError for a request id or a removal that cannot be accepted, ProtocolError.
        """
        check_request_id(request_id)
        texts: dict[str, str] = {}
        taken: dict[str, JobSpec] = {}
        refused: list[Refusal] = []
        encode = JobEncoder()
        for job in jobs:
            identity = job.identity
            try:
                # Of several jobs for one identity the last one counts, at the turn of the first.
                texts[identity] = encode(job)
                taken[identity] = job
            except InputError as error:
                refused.append(Refusal(identity=identity, reason=error.message))
        bodies = [encode_removal(removal) for removal in removals]
        answer = self._run(
            "submit",
            PROTOCOL,
            request_id,
            on_running,
            len(bodies),
            *bodies,
            *texts.values(),
        )
        if answer[0]:
            return Submission(request_id=request_id, known=True, refused=tuple(refused))
        return _submission(request_id, answer[1:], list(taken.values()), refused)


def _ids(text: bytes) -> tuple[int, ...]:
    return tuple(map(int, text.split(b","))) if text else ()


def _submission(
    request_id: str, answer: Sequence[bytes], asked: Sequence[JobSpec], refused: list[Refusal]
) -> Submission:
    *ids, unknown_targets, unknown_sources = map(_ids, answer)
    jobs, replaced, successors, removals, canceled = ids
    for place in unknown_targets:
        job = asked[place - 1]
        refused.append(_unknown_repository(job, f"target repository {job.target_repo}"))
    for place in unknown_sources:
        job = asked[place - 1]
        refused.append(_unknown_repository(job, f"source repository {job.source_repo}"))
    return Submission(
        request_id=request_id,
        jobs=jobs,
        replaced=replaced,
        successors=successors,
        removals=removals,
        canceled=canceled,
        refused=tuple(refused),
    )


def _unknown_repository(job: JobSpec, repository: str) -> Refusal:
    return Refusal(identity=job.identity, reason=f"no running service knows the {repository}")
