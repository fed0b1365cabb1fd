"""All that is known of a run, once it is over."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from scheduler.queue import Queue, WorkerIdentity, keys
from tests.chaos.journal import Word, read_journals
from tests.chaos.settings import worker_class, worker_name
from tests.chaos.workload import ARCHITECTURES, Request, workload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from redis import Redis

    from tests.chaos.settings import Settings

# What outlives the jobs: counters, the stream, results, and who works here. Everything about a
# single job or request has to have an end set.
_LASTING = re.compile(
    r"sequence|token|promotions|control|events|recent|last|scopes|requests|targets|sources"
    r"|quarantine|quarantined|workers|builds|seen|idle|idle:.*|idle_until|idle_runners"
)
_ENDING = re.compile(r"(job|spec|removal|hint):.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the event stream, read without the queue's own code."""

    id: str
    kind: str
    job: int
    identity: str
    state: str = ""
    outcome: str = ""
    worker: str = ""
    attempt: int = 0
    request: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A run: what was to be done, what everybody said, what the stream tells, what is left.

    `leftovers` are keys that should not be there any more, `crashes` processes that ended by a
    fault of their own. `deaths` are the processes that were killed, by themselves too.
    """

    requests: tuple[Request, ...]
    words: tuple[Word, ...]
    changes: tuple[Change, ...]
    leftovers: tuple[str, ...] = ()
    crashes: tuple[str, ...] = ()
    is_drained: bool = True
    faults: Mapping[str, int] = field(default_factory=dict)
    deaths: Mapping[str, int] = field(default_factory=dict)


def collect(
    settings: Settings,
    folder: Path,
    redis: Redis,
    *,
    faults: Mapping[str, int],
    deaths: Mapping[str, int],
    crashes: list[str],
    is_drained: bool,
) -> History:
    """Return the history of the run in `folder`, whose server is reached by `redis`."""
    changes = _changes(redis)
    with (folder / "events").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(change)) + "\n" for change in changes)
    leftovers = [f"job {job} can still be claimed" for job in _claimable(settings, redis)]
    return History(
        requests=tuple(request for part in workload(settings) for request in part),
        words=tuple(read_journals(folder)),
        changes=changes,
        leftovers=(*leftovers, *_leftovers(redis)),
        crashes=tuple(crashes),
        is_drained=is_drained,
        faults=dict(faults),
        deaths=dict(deaths),
    )


def _claimable(settings: Settings, redis: Redis) -> list[int]:
    """Ask as every worker once more: that also clears the ready lists of outdated entries."""
    queue = Queue(redis)
    workers = [
        WorkerIdentity(
            id="last",
            name=worker_name(slot),
            build_class=worker_class(slot),
            architectures=ARCHITECTURES,
        )
        for slot in range(settings.workers)
    ]
    claims = [queue.claim(worker) for worker in workers]
    return [claim.job_id for claim in claims if claim is not None]


def _leftovers(redis: Redis) -> tuple[str, ...]:
    found = []
    in_quarantine = set(redis.zrange(f"{keys.PREFIX}quarantine", 0, -1))
    for key in redis.scan_iter(match=f"{keys.PREFIX}*", count=1000):
        name = key.decode().removeprefix(keys.PREFIX)
        if _LASTING.fullmatch(name) or key.rpartition(b":")[2] in in_quarantine:
            continue
        if not _ENDING.fullmatch(name):
            found.append(name)
        elif redis.ttl(key) < 0:
            found.append(f"{name} (kept for ever)")
    return tuple(sorted(found))


def _changes(redis: Redis) -> tuple[Change, ...]:
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(keys.EVENTS))
    return tuple(_change(event_id, fields) for event_id, fields in entries)


def _change(event_id: bytes, fields: dict[bytes, bytes]) -> Change:
    text: dict[str, Any] = {key.decode(): value.decode() for key, value in fields.items()}
    return Change(
        id=event_id.decode(),
        kind=text["kind"],
        job=int(text["job"]),
        identity=text["identity"],
        state=text["state"],
        outcome=text["outcome"],
        worker=text["worker"],
        attempt=int(text["attempt"]),
        request=text["request"],
        reason=text["reason"],
    )
