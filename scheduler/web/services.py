"""What the web server shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from scheduler.history import BuildLogs, History
    from scheduler.queue import Queue
    from scheduler.web.facts import RepositoryFacts


class StreamCounter(Protocol):
    """Counts what one reader of something live is sent."""

    def sent(self, size: int) -> None: ...


class RequestCounter(Protocol):
    """Counts what the server does; `kind` is a word of the server's own, such as `log`."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None: ...

    def streaming(self, kind: str) -> AbstractContextManager[StreamCounter]: ...


class PackageHolds(Protocol):
    """Where packages are put on hold. What comes back says by name how each is, or was, held.

    `who` is somebody for people to read. Raises InputError for packages that do not exist or are
    not on hold.
    """

    def hold(self, packages: Sequence[str], *, reason: str, who: str) -> Mapping[str, str]: ...

    def unhold(self, packages: Sequence[str], *, reason: str, who: str) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """What the web server shows. What is None is not there, and pages say so.

    `metrics` returns what Prometheus reads, `http` counts requests for it. All of them are called
    from several threads.
    """

    queue: Queue
    logs: BuildLogs
    history: History | None = None
    facts: RepositoryFacts | None = None
    metrics: Callable[[], bytes] | None = None
    holds: PackageHolds | None = None
    http: RequestCounter | None = None
