"""The names of the keys that are used from Python; `lua/common.lua` lists all of them."""

from __future__ import annotations

# The braces are a hash tag: in a cluster all keys live on the same node.
PREFIX = "{caur}:"

EVENTS = f"{PREFIX}events"
TARGETS = f"{PREFIX}targets"
SOURCES = f"{PREFIX}sources"
SCOPES = f"{PREFIX}scopes"
PENDING = f"{PREFIX}pending"
ACTIVE = f"{PREFIX}active"
LAST = f"{PREFIX}last"
RECENT = f"{PREFIX}recent"
REMOVALS = f"{PREFIX}removals"
HELD_REMOVALS = f"{PREFIX}held_removals"
WORKERS = f"{PREFIX}workers"
BUILDS = f"{PREFIX}builds"
CONTROL = f"{PREFIX}control"
SEEN = f"{PREFIX}seen"
# Hash: worker -> why it takes no jobs, and until when that holds, as JSON.
NOTES = f"{PREFIX}notes"
# Hash: database runner -> up to when it has answered all greetings.
GREETERS = f"{PREFIX}greeters"

# What is being taken in a part at a time; while it is there the queue is closed.
INTAKE = f"{PREFIX}intake"


def job(job_id: int) -> str:
    """Return the key of the hash that says where a job stands."""
    return f"{PREFIX}job:{job_id}"


def failed_deps(job_id: int) -> str:
    """Return the key of the hash of the failed dependencies of a job, by identity."""
    return f"{PREFIX}without:{job_id}"


def skipped(job_id: int) -> str:
    """Return the key of the set of jobs that a job does not wait for, to break a cycle."""
    return f"{PREFIX}skip:{job_id}"


def removal(removal_id: int) -> str:
    """Return the key of the hash of a removal and where it stands."""
    return f"{PREFIX}removal:{removal_id}"


def hint(worker_id: str) -> str:
    """Return the key of the list that wakes a waiting worker or database runner."""
    return f"{PREFIX}hint:{worker_id}"


def staged(token: str) -> str:
    """Return the key of the hash of jobs that are to be taken in, by place from 1."""
    return f"{PREFIX}staged:{token}"


def staged_order(token: str) -> str:
    """Return the key of the hash of the places in the order in which they get into the indexes."""
    return f"{PREFIX}staged_order:{token}"


def taken(token: str) -> str:
    """Return the key of the hash that says what became of staged jobs, by place."""
    return f"{PREFIX}taken:{token}"


def canceled(token: str) -> str:
    """Return the key of the list of running jobs that gave way to staged ones."""
    return f"{PREFIX}canceled:{token}"


def greeting(number: str) -> str:
    """Return the key of the answer to a worker's greeting."""
    return f"{PREFIX}greeting:{number}"


def log(job_id: int, attempt: int) -> str:
    """Return the key of the log of one attempt at a job."""
    return f"{PREFIX}log:{job_id}:{attempt}"


def log_end(job_id: int, attempt: int) -> str:
    """Return the key that exists once the log is complete."""
    return f"{PREFIX}log-end:{job_id}:{attempt}"


def log_dropped(job_id: int, attempt: int) -> str:
    """Return the key that holds how many bytes were dropped from the beginning of a log."""
    return f"{PREFIX}log-dropped:{job_id}:{attempt}"


def log_identity(job_id: int, attempt: int) -> str:
    """Return the key that holds the identity whose log it is."""
    return f"{PREFIX}log-identity:{job_id}:{attempt}"


# Sorted set: all logs, as job id and attempt, by their start.
LOGS = f"{PREFIX}logs"


def logs_of(identity: str) -> str:
    """Return the sorted set of the logs of an identity, as job id and attempt, by their start."""
    return f"{PREFIX}logs-of:{identity}"


def latest_log(identity: str) -> str:
    """Return the key that holds job id and attempt of the newest log of an identity."""
    return f"{PREFIX}log-latest:{identity}"
