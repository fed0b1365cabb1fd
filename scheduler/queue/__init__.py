"""The queue: what is to be built, in which order, and who is at it.

Everything is in Redis, and every step is one Lua script, so that any process may die at any time.
"""

from scheduler.queue.model import (
    Claim,
    Event,
    JobView,
    QueueSnapshot,
    Refusal,
    RemovalClaim,
    Renewal,
    Returned,
    StaleClaimError,
    Submission,
    WorkerIdentity,
    WorkerView,
)
from scheduler.queue.queue import Queue

__all__ = [
    "Claim",
    "Event",
    "JobView",
    "Queue",
    "QueueSnapshot",
    "Refusal",
    "RemovalClaim",
    "Renewal",
    "Returned",
    "StaleClaimError",
    "Submission",
    "WorkerIdentity",
    "WorkerView",
]
