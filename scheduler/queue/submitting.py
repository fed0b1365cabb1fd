"""What hands requests over to the queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from caur_ci.errors import InputError, TemporaryError
from scheduler.connection import redis_errors
from scheduler.job import OnRunning
from scheduler.queue import keys
from scheduler.queue.codec import JobEncoder, check_request_id, encode_removal
from scheduler.queue.model import PROTOCOL, Refusal, Submission
from scheduler.queue.reader import QueueReader
from scheduler.queue.running import complete
from scheduler.queue.staging import stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scheduler.job import JobSpec, Removal

# What is more is taken in a part at a time: one step would keep others waiting for too long.
_JOBS_AT_ONCE, _BYTES_AT_ONCE = 500, 500_000
_READ_AT_ONCE = 5_000
# What `submit_staged` answers.
_KNOWN, _NOT_STAGED = 1, 2
# What became of a staged job: an id and letters, or which of its repositories nobody knows.
_REPLACED, _SUCCESSOR, _MARKS = "r", "s", "rs"


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
        """Take the whole request; when this returns, it is kept.

        Repeating a request id is harmless: it is told as `known` and nothing is done.
        A pending job of the same identity gets the new content and keeps its turn; a running one
        gets the new job as its successor, and with `on_running` CANCEL is asked to end. The
        removals come before the jobs of the same request. Jobs that cannot be accepted are refused
        one by one, the others are taken. A repository that no running service has registered is a
        reason to refuse a job, once any has registered some.

        Raises InputError for a request id or a removal that cannot be accepted, ProtocolError.
        """
        check_request_id(request_id)
        checked = _check(jobs)
        bodies = [encode_removal(removal) for removal in removals]
        texts = checked.texts
        if len(texts) > _JOBS_AT_ONCE or sum(map(len, texts)) > _BYTES_AT_ONCE:
            return self._submit_in_parts(request_id, checked, bodies, on_running)
        answer = self._run("submit", PROTOCOL, request_id, on_running, len(bodies), *bodies, *texts)
        if answer[0] == _KNOWN:
            return _known(request_id, checked)
        return _submission(request_id, answer[1:], checked)

    def _submit_in_parts(
        self, request_id: str, checked: _Checked, removals: Sequence[str], on_running: OnRunning
    ) -> Submission:
        """Stage the jobs, begin with them in one step, and take them in with the queue closed."""
        token = stage(self._redis, checked.texts, checked.jobs)
        status, *answer = self._run(
            "submit_staged", PROTOCOL, request_id, on_running, token, len(checked.jobs), *removals
        )
        if status == _KNOWN:
            return _known(request_id, checked)
        if status == _NOT_STAGED:
            raise TemporaryError(
                f"handing request {request_id} over took so long that a part of it was forgotten",
                hint="Nothing of it is in the queue; try again.",
            )
        complete(self._redis, "take_in")
        removal_ids, canceled = map(_ids, answer)
        return self._taken(request_id, token, checked, removal_ids, canceled)

    def _taken(
        self,
        request_id: str,
        token: str,
        checked: _Checked,
        removals: tuple[int, ...],
        canceled: tuple[int, ...],
    ) -> Submission:
        """Return what became of staged jobs, and forget it."""
        fates: list[bytes | None] = []
        with redis_errors():
            for first in range(1, len(checked.jobs) + 1, _READ_AT_ONCE):
                places = range(first, min(first + _READ_AT_ONCE, len(checked.jobs) + 1))
                answer = self._redis.hmget(keys.taken(token), [str(place) for place in places])
                fates += cast("list[bytes | None]", answer)
            also = cast("list[bytes]", self._redis.lrange(keys.canceled(token), 0, -1))
            self._redis.unlink(keys.taken(token), keys.canceled(token))
        taken = [fate.decode() for fate in fates if fate and fate[:1].isdigit()]
        refused: dict[bytes | None, list[int]] = {b"target": [], b"source": []}
        for place, fate in enumerate(fates):
            if fate in refused:
                refused[fate].append(place)
        return Submission(
            request_id=request_id,
            jobs=_marked(taken, ""),
            replaced=_marked(taken, _REPLACED),
            successors=_marked(taken, _SUCCESSOR),
            removals=removals,
            canceled=(*canceled, *map(int, also)),
            refused=checked.refusals(refused[b"target"], refused[b"source"]),
        )


@dataclass(frozen=True, slots=True)
class _Checked:
    """The jobs of a request that can be accepted, one of each identity, and what is refused."""

    jobs: tuple[JobSpec, ...]
    texts: tuple[str, ...]
    refused: tuple[Refusal, ...]

    def refusals(self, no_target: Iterable[int], no_source: Iterable[int]) -> tuple[Refusal, ...]:
        """Add the jobs at those places, from 0, whose repositories nobody works for."""
        targets = (self.jobs[place] for place in no_target)
        sources = (self.jobs[place] for place in no_source)
        return (
            *self.refused,
            *(_unknown_repository(job, f"target repository {job.target_repo}") for job in targets),
            *(_unknown_repository(job, f"source repository {job.source_repo}") for job in sources),
        )


def _check(jobs: Iterable[JobSpec]) -> _Checked:
    texts: dict[str, str] = {}
    accepted: dict[str, JobSpec] = {}
    refused: list[Refusal] = []
    encode = JobEncoder()
    for job in jobs:
        identity = job.identity
        try:
            # Of several jobs for one identity the last one counts, at the turn of the first.
            texts[identity] = encode(job)
            accepted[identity] = job
        except InputError as error:
            refused.append(Refusal(identity=identity, reason=error.message))
    return _Checked(tuple(accepted.values()), tuple(texts.values()), tuple(refused))


def _known(request_id: str, checked: _Checked) -> Submission:
    return Submission(request_id=request_id, known=True, refused=checked.refused)


def _submission(request_id: str, answer: Sequence[bytes], checked: _Checked) -> Submission:
    jobs, replaced, successors, removals, canceled, no_target, no_source = map(_ids, answer)
    return Submission(
        request_id=request_id,
        jobs=jobs,
        replaced=replaced,
        successors=successors,
        removals=removals,
        canceled=canceled,
        refused=checked.refusals(
            (place - 1 for place in no_target), (place - 1 for place in no_source)
        ),
    )


def _marked(fates: Iterable[str], mark: str) -> tuple[int, ...]:
    return tuple(int(fate.rstrip(_MARKS)) for fate in fates if mark in fate)


def _ids(text: bytes) -> tuple[int, ...]:
    return tuple(map(int, text.split(b","))) if text else ()


def _unknown_repository(job: JobSpec, repository: str) -> Refusal:
    return Refusal(identity=job.identity, reason=f"no running service knows the {repository}")
