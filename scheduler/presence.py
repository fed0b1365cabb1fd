"""What workers and database runners say about themselves and to each other, in Redis.

It is for people, and for workers to find out whether what they deliver is seen. Nothing here is
secret, and nothing that may be published is decided by it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from scheduler.connection import redis_errors
from scheduler.queue import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis

    from scheduler.queue import WorkerIdentity

_NOTE_SECONDS = 120
_ANSWER_SECONDS = 3600
# A runner that has not looked for greetings for so long is busy, or gone.
_LOOKING_SECONDS = 60.0
WELCOME = "welcome"


class Presence:
    """Every method raises TemporaryError when Redis is out of reach."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def takes_no_jobs(self, worker: WorkerIdentity, why: str) -> bool:
        """Tell for two minutes why a worker takes no jobs, although it is there.

        Returns whether it was asked to end, which it would learn when it asks for a job.
        """
        now = self.now()
        note = json.dumps({"until": now + _NOTE_SECONDS, "text": why[:1000]})
        with redis_errors(), self._redis.pipeline(transaction=True) as step:
            step.hset(keys.NOTES, worker.id, note)
            # As Lua's heard_of() does it when a worker asks for a job.
            step.hset(keys.WORKERS, worker.id, f"{worker.build_class} {worker.name}")
            step.hset(keys.BUILDS, worker.id, " ".join(worker.architectures))
            step.zadd(keys.SEEN, {worker.id: int(now * 1000)})
            step.hexists(keys.CONTROL, f"drain:{worker.id}")
            return bool(step.execute()[-1])

    def is_well(self, worker: WorkerIdentity) -> None:
        """Take back what was told of it."""
        with redis_errors():
            self._redis.hdel(keys.NOTES, worker.id)

    def has_looked(self, runner: str, since: float) -> None:
        """Tell that a database runner has answered all greetings that were there at a time."""
        with redis_errors():
            self._redis.hset(keys.GREETERS, runner, str(since))
            self._redis.expire(keys.GREETERS, _ANSWER_SECONDS)

    def knows_runners(self) -> bool:
        """Tell whether a database runner has been heard of within a month."""
        with redis_errors():
            return bool(self._redis.exists(keys.TARGETS, keys.GREETERS))

    def looking(self) -> Mapping[str, float]:
        """Return up to when each database runner that does so has answered all greetings."""
        with redis_errors():
            found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.GREETERS))
        earliest = self.now() - _LOOKING_SECONDS
        times = {runner.decode(): float(text) for runner, text in found.items()}
        return {runner: time for runner, time in times.items() if time >= earliest}

    def answer(self, greeting: str, text: str) -> None:
        """Answer a greeting: WELCOME, or why the worker is not."""
        with redis_errors():
            self._redis.set(keys.greeting(greeting), text[:1000], ex=_ANSWER_SECONDS)

    def answer_to(self, greeting: str) -> str:
        """Return the answer to a greeting, empty while there is none."""
        with redis_errors():
            found = cast("bytes | None", self._redis.get(keys.greeting(greeting)))
        return (found or b"").decode(errors="replace")

    def now(self) -> float:
        """Return the time by the clock of the server."""
        with redis_errors():
            seconds, microseconds = self._redis.time()
        return float(seconds) + float(microseconds) / 1e6
