"""Keeps what is known of repositories fresh, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.facts import RepositoryState
from caur_ci.names import is_package_name
from caur_ci.pipeline.facts.losses import Losses
from caur_ci.pipeline.facts.reading import read_repository
from caur_ci.pipeline.facts.telling import (
    broken_in,
    dependencies_in,
    held_in,
    package_in,
    stale_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from caur_ci.facts import (
        BrokenPackage,
        DependencyMap,
        HeldPackage,
        PackageFacts,
        PackageSummary,
        StalePackage,
    )
    from caur_ci.pipeline.facts.mirror import Mirror, Tips
    from caur_ci.pipeline.facts.reading import Reading

_log = logging.getLogger(__name__)

RENEWED_EVERY = 60.0
_REMEMBERED_PACKAGES = 512


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known of one repository; replaced as a whole, so that answers go by which it is."""

    state: RepositoryState
    reading: Reading | None = None
    broken: tuple[BrokenPackage, ...] = ()
    map: DependencyMap | None = None


class FollowedFacts:
    """What is known of repositories, renewed every `every` seconds for as long as somebody asks.

    Safe to use from several threads. Nobody waits for the network: until a repository has been read
    for the first time, it has no packages. One that cannot be reached stays what it was.
    """

    def __init__(
        self,
        mirrors: Sequence[Mirror],
        *,
        every: float = RENEWED_EVERY,
        clock: Callable[[], float] = time.time,
        losses: Callable[[], Losses] = Losses,
    ) -> None:
        self._mirrors = tuple(mirrors)
        self._every = every
        self._clock = clock
        self._losses = {mirror.name: losses() for mirror in mirrors}
        self._known = {it.name: _Known(RepositoryState(name=it.name)) for it in mirrors}
        self._wanted, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="facts", daemon=True)
        self._package = lru_cache(_REMEMBERED_PACKAGES)(_told)

    def __enter__(self) -> Self:
        """Begin to keep it fresh."""
        self._wanted.set()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it be; what is just being fetched is left behind."""
        self._stop.set()
        self._wanted.set()

    def renew(self) -> None:
        """Renew all of it now."""
        for mirror in self._mirrors:
            self._known[mirror.name] = self._renewed(mirror, self._known[mirror.name])
        self._package.cache_clear()  # what is replaced is not to stay in memory

    def repositories(self) -> tuple[RepositoryState, ...]:
        """Return the repositories, and how fresh what is known of each is."""
        return tuple(known.state for known in self._all())

    def packages(self) -> tuple[PackageSummary, ...]:
        """Return all packages, sorted by name."""
        found = (it for reading in self._readings() for it in reading.summaries.values())
        return tuple(sorted(found, key=lambda it: (it.pkgbase, it.source_repo)))

    def package(self, pkgbase: str, target_repo: str = "") -> PackageFacts | None:
        """Return what is known of a package, of the first repository that has it."""
        if not is_package_name(pkgbase):
            return None
        for known in self._all():
            if target_repo not in {"", known.state.target_repo}:
                continue
            found = self._package(known, pkgbase)
            if found is not None:
                return found
        return None

    def held(self) -> tuple[HeldPackage, ...]:
        """Return the packages that are on hold, sorted by name."""
        found = (it for reading in self._readings() for it in held_in(reading))
        return tuple(sorted(found, key=lambda it: it.package.pkgbase))

    def stale(self) -> tuple[StalePackage, ...]:
        """Return the packages that are stale, sorted by name."""
        now = self._clock()
        found = (it for reading in self._readings() for it in stale_in(reading, now=now))
        return tuple(sorted(found, key=lambda it: it.package.pkgbase))

    def broken(self) -> tuple[BrokenPackage, ...]:
        """Return the published packages that have lost something, sorted by name."""
        found = (it for known in self._all() for it in known.broken)
        return tuple(sorted(found, key=lambda it: it.package.pkgbase))

    def dependencies(self, target_repo: str = "") -> tuple[DependencyMap, ...]:
        """Return who needs whom in each repository, or in those that are published there."""
        maps = (known.map for known in self._all())
        return tuple(it for it in maps if it and target_repo in {"", it.target_repo})

    def _all(self) -> tuple[_Known, ...]:
        self._wanted.set()
        return tuple(self._known.values())

    def _readings(self) -> Iterator[Reading]:
        return (known.reading for known in self._all() if known.reading is not None)

    def _run(self) -> None:
        while self._wanted.wait() and not self._stop.is_set():
            self._wanted.clear()
            try:
                self.renew()
            except Exception:  # noqa: BLE001 - whatever it is, the next time may be better
                _log.exception("what is known of repositories cannot be renewed")
            self._stop.wait(self._every)

    def _renewed(self, mirror: Mirror, before: _Known) -> _Known:
        """Return what is known now; what fails is told, and the rest stays as it was."""
        trouble = ""
        tips: Tips | None = None
        try:
            tips = mirror.renew()
        except CaurError as error:
            trouble = error.message
            tips = mirror.tips()
        try:
            after = self._read(mirror, before, tips) if tips is not None else before
        except CaurError as error:
            trouble, after = error.message, before
        if trouble:
            _log.warning("%s", trouble)
        return replace(after, state=replace(after.state, asked=self._clock(), trouble=trouble))

    def _read(self, mirror: Mirror, before: _Known, tips: Tips) -> _Known:
        reading = before.reading
        if reading is None or reading.tips != tips:
            reading = read_repository(mirror.git, mirror.name, tips, reading)
        losses = self._losses[mirror.name]
        losses.look(reading, now=self._clock())
        same = before.reading is reading
        state = RepositoryState(
            name=mirror.name,
            target_repo=reading.target_repo,
            commit=tips.packages,
            committed=reading.committed,
            packages=len(reading.summaries),
            lost=losses.unknown,
        )
        return _Known(
            state=state,
            reading=reading,
            broken=tuple(broken_in(reading, losses.broken)),
            map=before.map if same else dependencies_in(reading),
        )


def _told(known: _Known, pkgbase: str) -> PackageFacts | None:
    return package_in(known.reading, pkgbase, known.broken) if known.reading else None
