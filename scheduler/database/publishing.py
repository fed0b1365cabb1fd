"""What a database runner does with deliveries: all that wait are published in one step."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from scheduler.database.batch import Batch, take_in
from scheduler.database.conflicting import deliveries_in_conflict
from scheduler.database.delivery_verifier import DeliveryVerifier, PublishedState
from scheduler.database.distribution import DistributionNames
from scheduler.database.distribution_files import DistributionFiles
from scheduler.database.expecting import ExpectationReader
from scheduler.database.handback import count_loss, hand_back, temporary, told, unforeseen
from scheduler.database.layout import Layout
from scheduler.database.linkage import LinkageIndex, scanner
from scheduler.database.repository import Retention, open_repository
from scheduler.database.settling import Settling
from scheduler.database.transaction import RepoToolError
from scheduler.heartbeat import DEFAULT_INTERVAL, Heartbeat
from scheduler.landing import DeliveryAwaitedError
from scheduler.workerkeys import AllowedWorkers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.database.delivery_verifier import VerifiedDelivery
    from scheduler.database.expecting import Expected
    from scheduler.database.generations import Generation
    from scheduler.database.ownership import Mandate
    from scheduler.database.repository import PacmanRepository
    from scheduler.database.signing import Signer
    from scheduler.database.transaction import Transaction
    from scheduler.job import JobSpec
    from scheduler.landing import LandingZone
    from scheduler.queue import Claim, Queue
    from scheduler.settings import DatabaseSettings

_log = logging.getLogger(__name__)

# For how long packages that were published before are looked at, with each publication.
_SCANNING = 2.0
_SAME_NAME = "another job in the same transaction brings a package of the same name"
_NOT_WITHOUT = "another member of its rebuild group cannot be published"


@dataclass(frozen=True)
class _Change:
    """What happens to the repository of one architecture."""

    repository: PacmanRepository
    transaction: Transaction
    current: Generation

    @cached_property
    def published(self) -> PublishedState:
        """What is published before the change."""
        return PublishedState(self.current, self.repository.layout)

    def add(self, batch: Batch) -> None:
        """Take in what is fresh, and take out what the same folders do not produce any more."""
        for _, delivery in batch.verified:
            self.transaction.add(delivery.fresh)
            if delivery.fresh:
                self._take_out_stale(delivery, batch.fresh_names)

    def take_over(self, batch: Batch, home: _Change) -> None:
        """Take in what the repository of the jobs has for this architecture as well."""
        for _, delivery in batch.verified:
            fresh = delivery.fresh_for(self.repository.layout.arch, self.published)
            for package in fresh:
                folders = (home.transaction.folder, home.repository.layout.folder)
                paths = [folder / package.path.name for folder in folders]
                self.transaction.add_published([path for path in paths if path.is_file()][:1])
            if fresh:
                self._take_out_stale(delivery, {package.pkgname for package in fresh})

    def _take_out_stale(self, delivery: VerifiedDelivery, fresh_names: set[str]) -> None:
        arch = self.repository.layout.arch
        self.transaction.remove(delivery.stale_in(self.current, arch=arch) - fresh_names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes what the queue hands to a database runner, and tells the queue."""

    queue: Queue
    settings: DatabaseSettings
    landing: LandingZone
    signer: Signer
    interval: float = DEFAULT_INTERVAL
    distribution: DistributionNames = field(default_factory=DistributionNames)
    files: DistributionFiles = field(default_factory=DistributionFiles)

    def publish(self, claims: Sequence[Claim], *, whole: bool = False) -> None:
        """Publish the deliveries of jobs for one repository and architecture, as one change.

        Packages for any architecture go to all of them, others also to those that their job is
        shared with; the jobs are done when they are there. What must not be published is refused,
        and with `whole` the others are handed back for it. Raises TemporaryError when that did not
        work for a reason that is not in the packages: they stay in the landing zone, and the jobs
        are handed back. After an error that nobody expected they are handed back as well, to be
        tried one by one.
        """
        repo, arch = claims[0].spec.target_repo, claims[0].spec.arch
        with Heartbeat(self.queue, claims, interval=self.interval) as heartbeat:
            settling = Settling(self.queue, self.landing, heartbeat)
            try:
                # Before anything is locked: this may take long.
                expected = self.expected(claims)
                if whole and len(expected.found) < len(claims):
                    rest = [claim for claim, _ in expected.found]
                    hand_back(self.queue, rest, heartbeat, _NOT_WITHOUT)
                    expected.found.clear()
                self.files.refresh()
                with ExitStack() as stack:
                    repositories = [
                        stack.enter_context(open_repository(layout, Retention.of(self.settings)))
                        for layout in self._layouts([claim.spec for claim in claims])
                    ]
                    self._publish(repositories, expected.found, settling, whole=whole)
            except (CaurError, OSError) as error:
                hand_back(self.queue, claims, heartbeat, told(error))
                raise temporary(repo, arch, error) from error
            except Exception as error:  # noqa: BLE001 - one of them is to blame, the others not
                _log.exception("%s/%s: a transaction failed", repo, arch)
                count_loss(self.queue, claims, heartbeat, unforeseen(error))
                return
            settling.unpublished(expected)

    def expected(self, claims: Sequence[Claim]) -> Expected:
        """Look up what may be published under the claims, and what waits for somebody."""
        reader = ExpectationReader(self.settings.source_repos, self.settings.cache)
        expected = reader.expected(claims)
        allowed = AllowedWorkers(self.settings.allowed_workers)
        for pair in list(expected.found):
            try:
                self.landing.check_arrived(pair[0], allowed)
            except DeliveryAwaitedError as error:
                expected.found.remove(pair)
                expected.unreachable.append((pair[0], error))
            except InputError:
                continue  # it is refused with a reason when it is verified
        return expected

    def verifier(self) -> DeliveryVerifier:
        """Return what verifies deliveries, with the workers that are allowed now."""
        return DeliveryVerifier(
            self.landing,
            AllowedWorkers(self.settings.allowed_workers),
            self.distribution,
            portable_names=self.settings.portable_names,
        )

    def _layouts(self, jobs: Sequence[JobSpec]) -> list[Layout]:
        """Return where packages of jobs for one repository and architecture go.

        Whoever locks several repositories locks them in this order.
        """
        repo, arch = jobs[0].target_repo, jobs[0].arch
        target = self.settings.target_repos.get(repo)
        shared = {other for job in jobs for other in job.shared_with}
        architectures = {arch, *shared, *(target.architectures if target else ())}
        return [Layout(self.settings.repo_path, repo, each) for each in sorted(architectures)]

    def _publish(
        self,
        repositories: Sequence[PacmanRepository],
        expected: Sequence[tuple[Claim, Mandate]],
        settling: Settling,
        *,
        whole: bool,
    ) -> None:
        if not expected:
            return
        claims = [claim for claim, _ in expected]
        try:
            batch = self._publish_together(repositories, expected, settling, whole=whole)
        except RepoToolError as error:
            if whole:
                count_loss(self.queue, claims, settling.heartbeat, error.message)
                return
            if len(expected) > 1:
                # One of them is to blame; the others are not to suffer for it.
                for pair in expected:
                    self._publish(repositories, [pair], settling, whole=whole)
                return
            batch = Batch(rejected=[(claim, error.message) for claim in claims])
        settling.published(batch.verified, batch.published)
        settling.reject(batch.rejected)
        hand_back(
            self.queue, batch.postponed, settling.heartbeat, _NOT_WITHOUT if whole else _SAME_NAME
        )

    def _publish_together(
        self,
        repositories: Sequence[PacmanRepository],
        expected: Sequence[tuple[Claim, Mandate]],
        settling: Settling,
        *,
        whole: bool,
    ) -> Batch:
        arch = expected[0][0].spec.arch
        with ExitStack() as stack:
            changes = [
                _Change(each, stack.enter_context(each.transaction(self.signer)), each.current())
                for each in repositories
            ]
            # That of the jobs first: the others take over what is signed there.
            changes.sort(key=lambda change: change.repository.layout.arch != arch)
            home, *others = changes
            batch = take_in(self.verifier(), expected, home.published, home.transaction.folder)
            self._hold_conflicting(changes, batch)
            if whole:
                batch.keep_whole(_SAME_NAME)
            home.add(batch)
            _prepare(home)
            for other in others:
                other.take_over(batch, home)
                _prepare(other)
            changed = [change for change in changes if not change.transaction.is_empty]
            if changed:
                # The last moment to learn that somebody else has verified these over.
                settling.check_held([claim for claim, _ in batch.verified])
            batch.published = home.current
            for change in changed:
                generation = change.repository.commit(
                    change.transaction, folders=batch.folders, sources=batch.sources
                )
                if change is home:
                    batch.published = generation
                _index(change.repository, batch)
        return batch

    def _hold_conflicting(self, changes: Sequence[_Change], batch: Batch) -> None:
        """Take out what ships files of other packages without saying so."""
        places = [(change.repository.layout, change.published) for change in changes]
        held = deliveries_in_conflict(batch.verified, places, self.files)
        batch.rejected += [
            (claim, held[claim.token]) for claim, _ in batch.verified if claim.token in held
        ]
        batch.verified = [pair for pair in batch.verified if pair[0].token not in held]


def _prepare(change: _Change) -> None:
    if not change.transaction.is_empty:
        change.transaction.prepare()


def _index(repository: PacmanRepository, batch: Batch) -> None:
    """Tell what the packages need; that they are published does not depend on it."""
    scan = scanner(repository.layout, seconds=_SCANNING)
    try:
        LinkageIndex(repository.layout).follow(repository.entries(), batch.descriptions, scan)
    except (CaurError, OSError) as error:
        _log.warning("the index of %s cannot be written: %s", repository.layout.folder, error)
