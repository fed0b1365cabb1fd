"""Looks at Redis, and at who works for the queue in it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from caur_ci.errors import CaurError
from scheduler.connection import check_durability, redis_errors
from scheduler.presence import Presence

if TYPE_CHECKING:
    from redis import Redis

    from caur_ci.cli.doctor.checks import Examination
    from caur_ci.config import RepositoryConfig
    from scheduler.queue import Queue, QueueSnapshot

_OLDEST = (6, 2)
_SKEW = 5.0
_SLOW = 0.5
_DURABLE = "Set `appendonly yes` and `maxmemory-policy noeviction` (docs/redis.md)."


def examine_queue(
    found: Examination, queue: Queue, client: Redis, config: RepositoryConfig | None
) -> None:
    """Look at the server, at the clock, and at workers, runners and what waits for them."""
    try:
        _server(found, client)
        _clock(found, client)
        snapshot = queue.snapshot(limit=1000)
        _workers(found, snapshot)
        _runners(found, queue, config)
        _waiting(found, snapshot)
    except CaurError as error:
        found.problem("Redis", error.message, error.hint)


def _server(found: Examination, client: Redis) -> None:
    begun = time.monotonic()
    with redis_errors():
        info: Any = client.info("server")
    took = time.monotonic() - begun
    shown = str(info.get("valkey_version") or info.get("redis_version") or "?")
    version = re.match(r"([0-9]+)\.([0-9]+)", str(info.get("redis_version", "")))
    if version and (int(version[1]), int(version[2])) < _OLDEST:
        found.problem("Redis", f"it is of version {shown}", "6.2 or later is needed, or Valkey.")
    else:
        found.ok("Redis", f"version {shown}, answers in {took * 1000:.0f} ms")
    if took > _SLOW:
        found.warn(
            "Redis", f"it took {took:.1f} s to answer", "Look at the way there, and its load."
        )
    for sentence in check_durability(client):
        found.warn("durability", sentence, _DURABLE)


def _clock(found: Examination, client: Redis) -> None:
    skew = Presence(client).now() - time.time()
    if abs(skew) > _SKEW:
        found.warn(
            "clock",
            f"the server's is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this one's",
            "Let both follow a time server.",
        )
    else:
        found.ok("clock", "as that of the server")


def _workers(found: Examination, snapshot: QueueSnapshot) -> None:
    workers = [worker for worker in snapshot.workers if worker.build_class]
    for worker in workers:
        if worker.trouble:
            found.problem(f"worker {worker.name}", f"it takes no jobs: {worker.trouble}", "")
        else:
            builds = " ".join(worker.architectures)
            found.ok(f"worker {worker.name}", f"class {worker.build_class}, builds {builds}")
    if not workers:
        found.problem("workers", "none has been heard of lately", "Start `caur-ci worker`.")
    if snapshot.paused:
        found.warn(
            "queue",
            f"it is paused: {snapshot.paused.reason or 'nobody said why'}",
            "`caur-ci queue resume` goes on.",
        )


def _runners(found: Examination, queue: Queue, config: RepositoryConfig | None) -> None:
    known = queue.repositories()
    if not known.targets:
        found.problem(
            "database runners", "none has been heard of lately", "Start `caur-ci database`."
        )
        return
    found.ok("database runners", f"publish {', '.join(sorted(known.targets))}")
    if config is None:
        return
    if config.target_repo not in known.targets:
        found.problem(
            "REPO_NAME",
            f"no database runner publishes {config.target_repo}",
            "Name it in PACKAGE_TARGET_REPOS of one, or another one in .ci/config.",
        )
    if known.sources and config.source_repo not in known.sources:
        found.problem(
            "BUILD_REPO",
            f"no worker knows the source repository {config.source_repo}",
            "Name it in PACKAGE_REPOS of the build side, or another one in .ci/config.",
        )


def _waiting(found: Examination, snapshot: QueueSnapshot) -> None:
    reasons: dict[str, list[str]] = {}
    for job in snapshot.ready:
        if job.reason:
            reasons.setdefault(job.reason, []).append(job.identity)
    for reason, jobs in sorted(reasons.items()):
        found.warn(
            "ready jobs",
            f"{len(jobs)}, {jobs[0]} the first: {reason}",
            "Start such a worker, or give the packages another BUILDER_CLASS.",
        )
    if snapshot.total_quarantine:
        found.warn(
            "quarantine",
            f"{snapshot.total_quarantine} jobs were lost too often",
            "`caur-ci status` shows them, `caur-ci queue retry` tries again.",
        )
