"""Short forms for tests of the web server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.queue import claimed, job, submit, worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.logs import LogStore
    from scheduler.queue import Claim, Queue

TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class SentEvent:
    """A server-sent event as it arrived."""

    id: str
    kind: str
    data: dict[str, object]


def sent_events(lines: Iterable[str]) -> Iterator[SentEvent]:
    """Yield the events in the lines of a stream."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield SentEvent(
                fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"])
            )
            fields = {}


def building(queue: Queue, store: LogStore, pkgbase: str = "a") -> Claim:
    """Return a job that is being built, with a log that has just begun."""
    submit(queue, job(pkgbase))
    claim = claimed(queue, worker())
    store.start(claim.job_id, claim.attempt, claim.identity)
    return claim


def built_log(queue: Queue, store: LogStore, *parts: bytes, pkgbase: str = "a") -> Claim:
    """Return a job whose log is complete."""
    claim = building(queue, store, pkgbase)
    for part in parts:
        store.append(claim.job_id, claim.attempt, part)
    store.finish(claim.job_id, claim.attempt)
    return claim
