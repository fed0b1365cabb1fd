"""What a database runner does with one repository: publish deliveries, remove packages."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError, TemporaryError
from scheduler.database.intake import Intake, take_in
from scheduler.database.repository import open_repository
from scheduler.database.transaction import RepoToolError
from scheduler.heartbeat import DEFAULT_INTERVAL, Heartbeat
from scheduler.job import Outcome
from scheduler.queue import StaleClaimError
from scheduler.workerkeys import AllowedWorkers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from scheduler.database.entries import Entry
    from scheduler.database.repository import Repository
    from scheduler.database.signing import Signer
    from scheduler.database.transaction import Transaction
    from scheduler.job import Removal
    from scheduler.landing import LandingZone
    from scheduler.queue import Claim, Queue, RemovalClaim
    from scheduler.settings import DatabaseSettings

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """The deliveries that are published together, and those that are not."""

    taken: list[tuple[Claim, Intake]] = field(default_factory=list)
    rejected: list[tuple[Claim, str]] = field(default_factory=list)
    postponed: list[Claim] = field(default_factory=list)

    @property
    def fresh_names(self) -> set[str]:
        return {package.pkgname for _, intake in self.taken for package in intake.fresh}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Carries out what the queue hands to a database runner, and tells the queue."""

    queue: Queue
    settings: DatabaseSettings
    landing: LandingZone
    signer: Signer
    interval: float = DEFAULT_INTERVAL

    def publish(self, claims: Sequence[Claim]) -> None:
        """Publish the deliveries of jobs for one repository and architecture, as one change.

        Raises TemporaryError when that did not work for a reason that is not in the packages:
        they stay in the landing zone, and the jobs are handed back.
        """
        spec = claims[0].spec
        with Heartbeat(self.queue, claims, interval=self.interval) as heartbeat:
            try:
                with open_repository(
                    self.settings.repo_path,
                    spec.target_repo,
                    spec.arch,
                    self.signer,
                    grace=self.settings.grace,
                ) as repository:
                    self._publish(repository, claims, heartbeat)
            except (CaurError, OSError) as error:
                self._hand_back(claims, heartbeat, str(error))
                raise _temporary(spec.target_repo, spec.arch, error) from error

    def remove(self, claim: RemovalClaim) -> None:
        """Take packages out of a repository: first the entries, then the files.

        Raises TemporaryError as `publish` does.
        """
        removal = claim.removal
        with Heartbeat(self.queue, [claim], interval=self.interval) as heartbeat:
            error = ""
            gone: list[str] = []
            try:
                with open_repository(
                    self.settings.repo_path,
                    removal.target_repo,
                    removal.arch,
                    self.signer,
                    grace=self.settings.grace,
                ) as repository:
                    gone = self._remove(repository, claim)
            except (InputError, RepoToolError) as problem:
                error = problem.message
                _log.error("%s/%s: %s", removal.target_repo, removal.arch, error)
            except (CaurError, OSError) as problem:
                self._hand_back([claim], heartbeat, str(problem))
                raise _temporary(removal.target_repo, removal.arch, problem) from problem
            else:
                _log.info("%s/%s: removed %s", removal.target_repo, removal.arch, _listed(gone))
            with suppress(StaleClaimError):
                heartbeat.insist(
                    claim, lambda: self.queue.finish_removal(claim, removed=gone, error=error)
                )

    def _publish(
        self, repository: Repository, claims: Sequence[Claim], heartbeat: Heartbeat
    ) -> None:
        try:
            batch = self._publish_together(repository, claims, heartbeat)
        except RepoToolError as error:
            if len(claims) == 1:
                batch = _Batch(rejected=[(claims[0], error.message)])
            else:
                # One of them is to blame; the others are not to suffer for it.
                for claim in claims:
                    self._publish(repository, [claim], heartbeat)
                return
        self._settle(batch, heartbeat)

    def _publish_together(
        self, repository: Repository, claims: Sequence[Claim], heartbeat: Heartbeat
    ) -> _Batch:
        with repository.transaction() as transaction:
            batch = self._take_in(transaction, claims, repository.entries())
            if batch.fresh_names:
                transaction.prepare()
                # The last moment to learn that somebody else has taken these over.
                for claim, _ in batch.taken:
                    heartbeat.insist(claim, _renewing(self.queue, claim))
                repository.commit(transaction)
        return batch

    def _take_in(
        self, transaction: Transaction, claims: Iterable[Claim], entries: Mapping[str, Entry]
    ) -> _Batch:
        batch = _Batch()
        allowed = AllowedWorkers(self.settings.allowed_workers)
        for claim in claims:
            staging = transaction.folder / f"delivery-{claim.token}"
            staging.mkdir()
            try:
                intake = take_in(self.landing, allowed, claim, entries, staging)
            except InputError as error:
                batch.rejected.append((claim, error.message))
                continue
            if batch.fresh_names & {package.pkgname for package in intake.fresh}:
                batch.postponed.append(claim)
                continue
            transaction.add(intake.fresh)
            batch.taken.append((claim, intake))
        return batch

    def _settle(self, batch: _Batch, heartbeat: Heartbeat) -> None:
        for claim, intake in batch.taken:
            outcome = Outcome.SUCCESS if intake.fresh or intake.published else Outcome.ALREADY_BUILT
            self._finish(claim, heartbeat, outcome, intake.remark)
            self.landing.remove(claim.delivery)
        for claim, reason in batch.rejected:
            with suppress(InputError):  # its very name may be what is wrong
                self.landing.set_aside(claim.delivery, reason)
            self._finish(claim, heartbeat, Outcome.FAILED, f"not published: {reason}")
        reason = "another job in the same transaction brings a package of the same name"
        self._hand_back(batch.postponed, heartbeat, reason)

    def _finish(self, claim: Claim, heartbeat: Heartbeat, outcome: Outcome, reason: str) -> None:
        _log.info("%s: %s%s", claim.identity, outcome.name, f": {reason}" if reason else "")
        with suppress(StaleClaimError):
            heartbeat.insist(claim, lambda: self.queue.finish(claim, outcome, reason))

    def _hand_back(
        self, claims: Iterable[Claim | RemovalClaim], heartbeat: Heartbeat, reason: str
    ) -> None:
        for claim in claims:
            # What is finished already, or somebody else's by now, does not come back.
            with suppress(StaleClaimError):
                heartbeat.insist(claim, _releasing(self.queue, claim, reason))

    def _remove(self, repository: Repository, claim: RemovalClaim) -> list[str]:
        entries = repository.entries().values()
        bases = _bases_to_remove(claim.removal, {entry.base for entry in entries})
        going = [entry for entry in entries if entry.base in bases]
        if going:
            with repository.transaction() as transaction:
                transaction.remove([entry.name for entry in going])
                transaction.prepare()
                self.queue.renew(claim)
                repository.commit(transaction, at_once={entry.filename for entry in going})
        return sorted(bases)


def _bases_to_remove(removal: Removal, published: set[str]) -> set[str]:
    if removal.remove:
        return published & set(removal.remove)
    if not removal.keep:
        raise InputError("a removal that keeps nothing would empty the repository; refused")
    return published - set(removal.keep)


def _temporary(target_repo: str, arch: str, error: CaurError | OSError) -> TemporaryError:
    hint = error.hint if isinstance(error, CaurError) else ""
    return TemporaryError(f"{target_repo}/{arch}: {error}", hint=hint)


def _renewing(queue: Queue, claim: Claim) -> Callable[[], object]:
    return lambda: queue.renew(claim)


def _releasing(queue: Queue, claim: Claim | RemovalClaim, reason: str) -> Callable[[], None]:
    return lambda: queue.release(claim, reason)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
