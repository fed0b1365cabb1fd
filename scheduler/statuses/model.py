"""What a forge is told about a job."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from scheduler.job import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.queue import Event


class State(StrEnum):
    """The states of the existing system, which are GitLab's."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self not in {State.PENDING, State.RUNNING}


WAITING = State.PENDING, "Waiting for builder..."
BUILDING = State.RUNNING, "Build in progress..."
REPLACED = State.CANCELED, "Build canceled and replaced."
HANDED_BACK = State.CANCELED, "Builder shutdown requested."
CANCELED = State.CANCELED, "Build canceled."
FORGOTTEN = State.CANCELED, "Build canceled due to coordinator shutdown."

_ENDS = {
    Outcome.SUCCESS: (State.SUCCESS, "Package successfully deployed."),
    Outcome.ALREADY_BUILT: (State.CANCELED, "Build skipped because package was already built."),
    Outcome.SKIPPED: (State.CANCELED, "Build skipped intentionally via build tools."),
    Outcome.FAILED: (State.FAILED, "Build failed."),
    Outcome.TIMED_OUT: (State.FAILED, "Build timed out."),
    Outcome.CANCELED: CANCELED,
    Outcome.CANCELED_REQUEUE: REPLACED,
    Outcome.SOFTWARE_FAILURE: (State.FAILED, "Build failed."),
}
# As the queue words it, when a request does not wait for the running build of its package.
_NEWER = "asks for a newer build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a status is about: a package, at a commit of its source repository, in a pipeline.

    `pipeline` is the number of GitLab's pipeline that asked for the build, empty where none did.
    """

    source_repo: str
    commit: str
    pipeline: str
    identity: str
    job_id: int

    @property
    def pkgbase(self) -> str:
        """The package."""
        return self.identity.rpartition("/")[2]

    def to_json(self) -> str:
        """Return what is remembered."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` has made."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A status to be set; `attempt` is that of the log, `time` a Unix time."""

    subject: Subject
    state: State
    description: str
    attempt: int
    time: float

    def to_json(self) -> str:
        """Return what waits in the outbox."""
        return json.dumps({**asdict(self), "state": str(self.state)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` has made. Raises ValueError, TypeError or KeyError for all else."""
        data = json.loads(text)
        return cls(**{**data, "subject": Subject(**data["subject"]), "state": State(data["state"])})

    @classmethod
    def all_of(cls, entries: Mapping[str, str]) -> dict[str, Self]:
        """Return what the entries of the outbox say, in the order in which it happened.

        Those of a later version, which cannot be read, are left out.
        """
        found: dict[str, Self] = {}
        for key, text in entries.items():
            with suppress(ValueError, TypeError, KeyError):
                found[key] = cls.from_json(text)
        return dict(sorted(found.items(), key=lambda each: (each[1].time, each[0])))


def state_of_end(outcome: Outcome, reason: str) -> tuple[State, str]:
    """Return how a job that ended is shown."""
    if outcome is Outcome.CANCELED and _NEWER in reason:
        return REPLACED
    return _ENDS[outcome]


def state_after(event: Event) -> tuple[State, str] | None:
    """Return how a job is shown after an event, None where the event changes nothing about it."""
    if event.kind == "done" and event.outcome is not None:
        return state_of_end(event.outcome, event.reason)
    if event.kind in {"submitted", "replaced", "retried", "restored"}:
        return WAITING
    if event.kind == "claimed":
        return BUILDING
    # What is built already is not built again: it stays with those who publish.
    if event.kind in {"returned", "expired"} and event.state in {"ready", "waiting"}:
        return WAITING
    return None
