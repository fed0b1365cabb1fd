"""The queue: what is to be built, in which order, and who is at it.

Everything is in Redis, and every change is one Lua script, so that any process may die at any time.
`Queue` is for those who submit, build and publish; `QueueControl`, part of it, for operators;
`QueueReader`, part of both, for those who only look.
"""

from scheduler.queue.control import QueueControl
from scheduler.queue.leases import DEFAULT_LEASE, stale
from scheduler.queue.model import (
    PROTOCOL,
    Backoff,
    Blocker,
    Claim,
    DrainedError,
    Event,
    Explanation,
    JobChange,
    JobReference,
    JobResult,
    JobView,
    Pause,
    ProtocolError,
    QueueSnapshot,
    Refusal,
    RemovalClaim,
    RemovalView,
    Renewal,
    Repositories,
    Restored,
    Returned,
    StaleClaimError,
    Submission,
    WorkerIdentity,
    WorkerView,
)
from scheduler.queue.notes import BuildNotes, JobRecord
from scheduler.queue.queue import Queue
from scheduler.queue.reader import QueueReader
from scheduler.queue.rebuild_groups import GroupChange, GroupView

__all__ = [
    "DEFAULT_LEASE",
    "PROTOCOL",
    "Backoff",
    "Blocker",
    "BuildNotes",
    "Claim",
    "DrainedError",
    "Event",
    "Explanation",
    "GroupChange",
    "GroupView",
    "JobChange",
    "JobRecord",
    "JobReference",
    "JobResult",
    "JobView",
    "Pause",
    "ProtocolError",
    "Queue",
    "QueueControl",
    "QueueReader",
    "QueueSnapshot",
    "Refusal",
    "RemovalClaim",
    "RemovalView",
    "Renewal",
    "Repositories",
    "Restored",
    "Returned",
    "StaleClaimError",
    "Submission",
    "WorkerIdentity",
    "WorkerView",
    "stale",
]
