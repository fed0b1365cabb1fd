"""Staging: the packages of a rebuild group, where only builds of the group look for them.

Each group has a pacman repository of its own, signed like the one that it is for. It is made of
deliveries, which stay in the landing zone until the group is published from them.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.database.batch import Batch, take_in
from scheduler.database.delivery_verifier import PublishedState
from scheduler.database.handback import count_loss, hand_back, temporary, told, unforeseen
from scheduler.database.layout import Layout, group_of_staging, staging_folder, staging_layout
from scheduler.database.repository import Retention, open_repository
from scheduler.database.settling import Settling
from scheduler.database.transaction import RepoToolError
from scheduler.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.database.ownership import Mandate
    from scheduler.database.publishing import Publisher
    from scheduler.database.repository import PacmanRepository
    from scheduler.queue import Claim

_log = logging.getLogger(__name__)

# Builds that have just read the old database still find the files of it.
_RETENTION = Retention(grace=3600, archive_days=0, generations=1)


@dataclass(frozen=True, slots=True)
class Stager:
    """Stages what the queue hands to a database runner, and tells the queue."""

    publisher: Publisher

    def stage(self, claims: Sequence[Claim]) -> None:
        """Stage the deliveries of jobs of one group.

        What changes nothing in the repository is done by that. Raises TemporaryError as
        `Publisher.publish` does.
        """
        publisher, spec = self.publisher, claims[0].spec
        queue = publisher.queue
        with Heartbeat(queue, claims, interval=publisher.interval) as heartbeat:
            settling = Settling(queue, publisher.landing, heartbeat)
            try:
                expected = publisher.expected(claims)
                self._stage(expected.found, settling)
            except (CaurError, OSError) as error:
                hand_back(queue, claims, heartbeat, told(error))
                raise temporary(spec.target_repo, spec.arch, error) from error
            except Exception as error:  # noqa: BLE001 - one of them is to blame, the others not
                _log.exception("%s: staging failed", spec.identity)
                count_loss(queue, claims, heartbeat, unforeseen(error))
                return
            settling.unpublished(expected)

    def sweep(self) -> None:
        """Remove what is staged of groups that are over.

        Raises TemporaryError when the queue is out of reach.
        """
        settings = self.publisher.settings
        # Listed before the groups: of what is opened meanwhile, nothing is there.
        found = [
            (target, path)
            for target in settings.target_repos
            for path in staging_folder(settings.repo_path, target).glob("*")
        ]
        if not found:
            return
        names = (group.name.split("/") for group in self.publisher.queue.groups(limit=1))
        open_groups = {(target, group) for target, _, group in names}
        for target, path in found:
            if (target, group_of_staging(path.name)) not in open_groups:
                _log.info("removing %s: its rebuild group is over", path)
                shutil.rmtree(path, ignore_errors=True)

    def _stage(self, expected: Sequence[tuple[Claim, Mandate]], settling: Settling) -> None:
        if not expected:
            return
        try:
            batch = self._stage_together(expected, settling)
        except RepoToolError as error:
            if len(expected) > 1:
                for pair in expected:
                    self._stage([pair], settling)
                return
            batch = Batch(rejected=[(claim, error.message) for claim, _ in expected])
        settling.staged([claim for claim, delivery in batch.verified if delivery.fresh])
        there = [pair for pair in batch.verified if not pair[1].fresh]
        settling.published(there, batch.published)
        settling.reject(batch.rejected)
        reason = "another job of the group brings a package of the same name"
        hand_back(settling.queue, batch.postponed, settling.heartbeat, reason)

    def _stage_together(
        self, expected: Sequence[tuple[Claim, Mandate]], settling: Settling
    ) -> Batch:
        settings, claim = self.publisher.settings, expected[0][0]
        place = (settings.repo_path, claim.spec.target_repo)
        target = Layout(*place, claim.spec.arch)
        with open_repository(target) as repository:
            published = PublishedState(repository.current(), target)
        staging = staging_layout(*place, claim.group, claim.spec.arch)
        with open_repository(staging, _RETENTION) as repository:
            return self._commit(repository, published, expected, settling)

    def _commit(
        self,
        repository: PacmanRepository,
        published: PublishedState,
        expected: Sequence[tuple[Claim, Mandate]],
        settling: Settling,
    ) -> Batch:
        with repository.transaction(self.publisher.signer) as transaction:
            batch = take_in(self.publisher.verifier(), expected, published, transaction.folder)
            batch.published = published.current
            for _, delivery in batch.verified:
                transaction.add(delivery.fresh)
            if not transaction.is_empty:
                transaction.prepare()
                settling.check_held([claim for claim, _ in batch.verified])
                repository.commit(transaction)
        return batch
