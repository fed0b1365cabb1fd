"""Puts jobs where a request or a backup finds them that is too large to be one step."""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import TYPE_CHECKING

from scheduler.connection import redis_errors
from scheduler.queue import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis import Redis

    from scheduler.job import JobSpec

# In seconds: whoever stages something needs it within this time, or has ended.
_STAGED_FOR = 600
_FIELDS_AT_ONCE, _FIELDS_IN_FLIGHT = 500, 10_000

_Node = int | tuple[str, str, str]


def stage(redis: Redis, texts: Sequence[str], jobs: Sequence[JobSpec]) -> str:
    """Put down `texts`, each about the job of the same place, and return the token they go by.

    They count for nothing until the token is named, and are forgotten after a while.
    Raises TemporaryError when Redis is out of reach.
    """
    token = secrets.token_hex(8)
    places = [str(place + 1) for place in providers_first(jobs)]
    for key, values in ((keys.staged(token), texts), (keys.staged_order(token), places)):
        for first in range(0, len(values), _FIELDS_IN_FLIGHT):
            _put(redis, key, first, values[first : first + _FIELDS_IN_FLIGHT])
    return token


def _put(redis: Redis, key: str, done: int, values: Sequence[str]) -> None:
    with redis_errors(), redis.pipeline(transaction=False) as step:
        for first in range(0, len(values), _FIELDS_AT_ONCE):
            some = values[first : first + _FIELDS_AT_ONCE]
            step.hset(key, mapping=dict(enumerate(some, start=done + first + 1)))
        step.expire(key, _STAGED_FOR)
        step.execute()


def providers_first(jobs: Sequence[JobSpec]) -> list[int]:
    """Return the places of the jobs, each after those that provide what it depends on.

    In a cycle somebody comes too early. Otherwise they stay in order.
    """
    providers: defaultdict[_Node, list[_Node]] = defaultdict(list)
    for place, job in enumerate(jobs):
        for name in {job.pkgbase, *job.pkgnames, *job.provides}:
            providers[job.target_repo, job.arch, name].append(place)

    def before(node: _Node) -> Iterator[_Node]:
        if not isinstance(node, int):
            return iter(providers[node])
        job = jobs[node]
        names = ((job.target_repo, job.arch, name) for name in job.depends)
        return (name for name in names if name in providers)

    seen: set[_Node] = set()
    order: list[int] = []
    for first in range(len(jobs)):
        path: list[tuple[_Node, Iterator[_Node]]] = []
        if first not in seen:
            path.append((first, before(first)))
        seen.add(first)
        while path:
            node, nodes_before = path[-1]
            unseen = next((other for other in nodes_before if other not in seen), None)
            if unseen is not None:
                seen.add(unseen)
                path.append((unseen, before(unseen)))
                continue
            path.pop()
            if isinstance(node, int):
                order.append(node)
    return order
