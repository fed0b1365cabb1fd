"""What a database runner does with deliveries: all that wait are published in one step."""

from __future__ import annotations

import logging
import shutil
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from scheduler.database.conflicting import deliveries_in_conflict
from scheduler.database.delivery_verifier import DeliveryVerifier, PublishedState, VerifiedDelivery
from scheduler.database.distribution import DistributionNames
from scheduler.database.distribution_files import DistributionFiles
from scheduler.database.expecting import ExpectationReader
from scheduler.database.generations import NOTHING
from scheduler.database.handback import count_loss, hand_back, temporary, told, unforeseen
from scheduler.database.layout import Layout
from scheduler.database.linkage import LinkageIndex, description_of, scanner
from scheduler.database.repository import Retention, open_repository
from scheduler.database.transaction import RepoToolError
from scheduler.heartbeat import DEFAULT_INTERVAL, Heartbeat
from scheduler.job import FailureClass, Outcome, Publication
from scheduler.landing import DeliveryAwaitedError
from scheduler.queue import BuildNotes, JobResult, StaleClaimError, stale
from scheduler.workerkeys import AllowedWorkers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from scheduler.database.expecting import Expected
    from scheduler.database.generations import Generation
    from scheduler.database.linkage import Description
    from scheduler.database.ownership import Mandate
    from scheduler.database.repository import PacmanRepository
    from scheduler.database.signing import Signer
    from scheduler.database.transaction import Transaction
    from scheduler.landing import LandingZone
    from scheduler.queue import Claim, Queue
    from scheduler.settings import DatabaseSettings

_log = logging.getLogger(__name__)

# For how long packages that were published before are looked at, with each publication.
_SCANNING = 2.0


@dataclass(slots=True)
class _Batch:
    """The deliveries that are published together, and those that are not."""

    verified: list[tuple[Claim, VerifiedDelivery]] = field(default_factory=list)
    published: Generation = NOTHING
    rejected: list[tuple[Claim, str]] = field(default_factory=list)
    postponed: list[Claim] = field(default_factory=list)

    @property
    def fresh_names(self) -> set[str]:
        return {package.pkgname for _, delivery in self.verified for package in delivery.fresh}

    @property
    def folders(self) -> dict[str, str]:
        return {
            name: folder
            for _, delivery in self.verified
            for name, folder in delivery.folders.items()
        }

    @property
    def descriptions(self) -> list[Description]:
        return [
            found
            for _, delivery in self.verified
            for package in delivery.packages
            if (found := description_of(package)) is not None
        ]

    @property
    def sources(self) -> dict[str, str]:
        return {
            name: source
            for _, delivery in self.verified
            for name, source in delivery.sources.items()
        }


@dataclass(frozen=True, slots=True)
class _Change:
    """What happens to the repository of one architecture."""

    repository: PacmanRepository
    transaction: Transaction
    current: Generation

    @property
    def published(self) -> PublishedState:
        return PublishedState(self.current, self.repository.layout.folder)

    def add(self, batch: _Batch) -> None:
        """Take in what is fresh, and take out what the same folders do not produce any more."""
        for _, delivery in batch.verified:
            self.transaction.add(delivery.fresh)
            if delivery.fresh:
                self._take_out_stale(delivery, batch.fresh_names)

    def take_over(self, batch: _Batch, home: _Change) -> None:
        """Take in those packages for any architecture that the repository of the jobs has."""
        for _, delivery in batch.verified:
            fresh = delivery.fresh_for(self.published)
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

    def publish(self, claims: Sequence[Claim]) -> None:
        """Publish the deliveries of jobs for one repository and architecture, as one change.

        Packages for any architecture go to all of them; the jobs are done when they are there.
        Raises TemporaryError when that did not work for a reason that is not in the packages:
        they stay in the landing zone, and the jobs are handed back. After an error that nobody
        expected they are handed back as well, to be tried one by one.
        """
        repo, arch = claims[0].spec.target_repo, claims[0].spec.arch
        with Heartbeat(self.queue, claims, interval=self.interval) as heartbeat:
            try:
                # Before anything is locked: this may take long.
                expected = self._sources().expected(claims)
                self._hold_back(expected)
                self.files.refresh()
                with ExitStack() as stack:
                    repositories = [
                        stack.enter_context(open_repository(layout, Retention.of(self.settings)))
                        for layout in self._layouts(repo, arch)
                    ]
                    self._publish(repositories, expected.found, heartbeat)
            except (CaurError, OSError) as error:
                hand_back(self.queue, claims, heartbeat, told(error))
                raise temporary(repo, arch, error) from error
            except Exception as error:  # noqa: BLE001 - one of them is to blame, the others not
                _log.exception("%s/%s: a transaction failed", repo, arch)
                count_loss(self.queue, claims, heartbeat, unforeseen(error))
                return
            self._settle_unpublished(expected, heartbeat)

    def _hold_back(self, expected: Expected) -> None:
        """Take out what waits for somebody to put something right."""
        allowed = AllowedWorkers(self.settings.allowed_workers)
        for pair in list(expected.found):
            try:
                self.landing.check_arrived(pair[0], allowed)
            except DeliveryAwaitedError as error:
                expected.found.remove(pair)
                expected.unreachable.append((pair[0], error))
            except InputError:
                continue  # it is refused with a reason when it is verified

    def _sources(self) -> ExpectationReader:
        return ExpectationReader(self.settings.source_repos, self.settings.cache)

    def _layouts(self, repo: str, arch: str) -> list[Layout]:
        """Return where packages of jobs for `arch` go: first there, then in the same order always.

        Whoever locks several repositories locks them in this order.
        """
        target = self.settings.target_repos.get(repo)
        architectures = {arch, *(target.architectures if target else ())}
        return [Layout(self.settings.repo_path, repo, each) for each in sorted(architectures)]

    def _publish(
        self,
        repositories: Sequence[PacmanRepository],
        expected: Sequence[tuple[Claim, Mandate]],
        heartbeat: Heartbeat,
    ) -> None:
        if not expected:
            return
        try:
            batch = self._publish_together(repositories, expected, heartbeat)
        except RepoToolError as error:
            if len(expected) > 1:
                # One of them is to blame; the others are not to suffer for it.
                for pair in expected:
                    self._publish(repositories, [pair], heartbeat)
                return
            batch = _Batch(rejected=[(claim, error.message) for claim, _ in expected])
        self._settle(batch, heartbeat)

    def _publish_together(
        self,
        repositories: Sequence[PacmanRepository],
        expected: Sequence[tuple[Claim, Mandate]],
        heartbeat: Heartbeat,
    ) -> _Batch:
        arch = expected[0][0].spec.arch
        with ExitStack() as stack:
            changes = [
                _Change(each, stack.enter_context(each.transaction(self.signer)), each.current())
                for each in repositories
            ]
            # That of the jobs first: the others take over what is signed there.
            changes.sort(key=lambda change: change.repository.layout.arch != arch)
            home, *others = changes
            batch = self._take_in(home, expected)
            self._hold_conflicting(changes, batch)
            home.add(batch)
            _prepare(home)
            for other in others:
                other.take_over(batch, home)
                _prepare(other)
            changed = [change for change in changes if not change.transaction.is_empty]
            if changed:
                # The last moment to learn that somebody else has verified these over.
                self._check_held([claim for claim, _ in batch.verified], heartbeat)
            batch.published = home.current
            for change in changed:
                generation = change.repository.commit(
                    change.transaction, folders=batch.folders, sources=batch.sources
                )
                if change is home:
                    batch.published = generation
                _index(change.repository, batch)
        return batch

    def _take_in(self, home: _Change, expected: Iterable[tuple[Claim, Mandate]]) -> _Batch:
        batch = _Batch()
        verifier = DeliveryVerifier(
            self.landing, AllowedWorkers(self.settings.allowed_workers), self.distribution
        )
        for claim, mandate in expected:
            staging = home.transaction.folder / f"delivery-{claim.token}"
            staging.mkdir()
            try:
                delivery = _verified(verifier, claim, mandate, home.published, staging)
            except InputError as error:
                shutil.rmtree(staging)
                batch.rejected.append((claim, error.message))
                continue
            if batch.fresh_names & {package.pkgname for package in delivery.fresh}:
                batch.postponed.append(claim)
                continue
            batch.verified.append((claim, delivery))
        return batch

    def _hold_conflicting(self, changes: Sequence[_Change], batch: _Batch) -> None:
        """Take out what ships files of other packages without saying so."""
        places = [(change.repository.layout, change.published) for change in changes]
        held = deliveries_in_conflict(batch.verified, places, self.files)
        batch.rejected += [
            (claim, held[claim.token]) for claim, _ in batch.verified if claim.token in held
        ]
        batch.verified = [pair for pair in batch.verified if pair[0].token not in held]

    def _settle(self, batch: _Batch, heartbeat: Heartbeat) -> None:
        results = [_result(*pair, batch.published) for pair in batch.verified]
        self._finish(results, heartbeat)
        for claim, _ in batch.verified:
            self.landing.remove(claim.delivery)
        self._reject(batch.rejected, heartbeat)
        reason = "another job in the same transaction brings a package of the same name"
        hand_back(self.queue, batch.postponed, heartbeat, reason)

    def _settle_unpublished(self, expected: Expected, heartbeat: Heartbeat) -> None:
        """End or hand back what could not be looked up. Raises TemporaryError."""
        self._reject(expected.refused, heartbeat)
        for claim, error in expected.unreachable:
            hand_back(self.queue, [claim], heartbeat, told(error))
        for claim, error in expected.unreachable:
            raise temporary(claim.spec.target_repo, claim.spec.arch, error)

    def _reject(self, rejected: Sequence[tuple[Claim, str]], heartbeat: Heartbeat) -> None:
        for claim, reason in rejected:
            with suppress(InputError):  # its very name may be what is wrong
                self.landing.set_aside(claim.delivery, reason)
        self._finish(
            [
                JobResult(claim, Outcome.FAILED, f"not published: {reason}", FailureClass.DELIVERY)
                for claim, reason in rejected
            ],
            heartbeat,
        )

    def _check_held(self, claims: Sequence[Claim], heartbeat: Heartbeat) -> None:
        """Raise StaleClaimError if one of the claims is lost."""
        renewals = heartbeat.retry_while_any_held(claims, lambda: self.queue.renew_all(claims))
        for claim, renewal in zip(claims, renewals, strict=True):
            if renewal is None:
                raise stale(claim)

    def _finish(self, results: Sequence[JobResult], heartbeat: Heartbeat) -> None:
        """End jobs; those that are somebody else's by now are left alone."""
        for result in results:
            reason = f": {result.reason}" if result.reason else ""
            _log.info("%s: %s%s", result.claim.identity, result.outcome.name, reason)
        claims = [result.claim for result in results]
        with suppress(StaleClaimError):
            heartbeat.retry_while_any_held(claims, lambda: self.queue.finish_all(results))


def _verified(
    verifier: DeliveryVerifier,
    claim: Claim,
    mandate: Mandate,
    published: PublishedState,
    staging: Path,
) -> VerifiedDelivery:
    """Verify a delivery; what nobody expected of it is a reason to refuse it as well."""
    try:
        return verifier.verify(claim, mandate, published, staging)
    except (CaurError, OSError):
        raise
    except Exception as error:
        _log.exception("the delivery of %s cannot be checked", claim.identity)
        raise InputError(unforeseen(error)) from error


def _prepare(change: _Change) -> None:
    if not change.transaction.is_empty:
        change.transaction.prepare()


def _index(repository: PacmanRepository, batch: _Batch) -> None:
    """Tell what the packages need; that they are published does not depend on it."""
    scan = scanner(repository.layout, seconds=_SCANNING)
    try:
        LinkageIndex(repository.layout).follow(repository.entries(), batch.descriptions, scan)
    except (CaurError, OSError) as error:
        _log.warning("the index of %s cannot be written: %s", repository.layout.folder, error)


def _result(claim: Claim, delivery: VerifiedDelivery, published: Generation) -> JobResult:
    if delivery.changes_nothing:
        return JobResult(claim, Outcome.ALREADY_BUILT, delivery.remark)
    entries = [published.packages[name] for name in delivery.brought if name in published.packages]
    publication = Publication(
        generation=published.number, files=tuple(entry.as_published for entry in entries)
    )
    notes = BuildNotes(publication=publication)
    return JobResult(claim, Outcome.SUCCESS, delivery.remark, notes=notes)
