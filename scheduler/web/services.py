"""What the web server shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scheduler.history import BuildLogs, History
    from scheduler.queue import Queue
    from scheduler.web.facts import RepositoryFacts  # type: ignore[import-not-found]


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

    `metrics` returns what Prometheus reads. All of them are called from several threads.
    """

    queue: Queue
    logs: BuildLogs
    history: History | None = None
    facts: RepositoryFacts | None = None
    metrics: Callable[[], bytes] | None = None
    holds: PackageHolds | None = None
