"""The deliveries of one change of a repository, verified."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from scheduler.database.generations import NOTHING
from scheduler.database.handback import unforeseen
from scheduler.database.linkage import description_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scheduler.database.delivery_verifier import (
        DeliveryVerifier,
        PublishedState,
        VerifiedDelivery,
    )
    from scheduler.database.generations import Generation
    from scheduler.database.linkage import Description
    from scheduler.database.ownership import Mandate
    from scheduler.queue import Claim

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """The deliveries that are published together, and those that are not.

    `published` is the state of the repository with them.
    """

    verified: list[tuple[Claim, VerifiedDelivery]] = field(default_factory=list)
    published: Generation = NOTHING
    rejected: list[tuple[Claim, str]] = field(default_factory=list)
    postponed: list[Claim] = field(default_factory=list)

    def keep_whole(self, reason: str) -> None:
        """Take nothing if not all can be taken; what was postponed is rejected for `reason`."""
        self.rejected += [(claim, reason) for claim in self.postponed]
        self.postponed = []
        if self.rejected:
            self.postponed = [claim for claim, _ in self.verified]
            self.verified = []

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


def take_in(
    verifier: DeliveryVerifier,
    expected: Iterable[tuple[Claim, Mandate]],
    published: PublishedState,
    folder: Path,
) -> Batch:
    """Verify deliveries, and leave what is fresh of them in folders of their own below `folder`.

    Of those that bring a package of the same name, the later ones are postponed. Raises OSError for
    trouble with the disk, and TemporaryError where the file of allowed workers cannot be read.
    """
    batch = Batch()
    for claim, mandate in expected:
        staging = folder / f"delivery-{claim.token}"
        staging.mkdir()
        try:
            delivery = _verified(verifier, claim, mandate, published, staging)
        except InputError as error:
            shutil.rmtree(staging)
            batch.rejected.append((claim, error.message))
            continue
        if batch.fresh_names & {package.pkgname for package in delivery.fresh}:
            batch.postponed.append(claim)
            continue
        batch.verified.append((claim, delivery))
    return batch


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
