"""Which deliveries of a batch ship files of other packages without saying so."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from caur_ci.syncdb import SyncDatabaseError
from scheduler.database.file_conflicts import Arrival, ConflictCheck, held_for_conflicts
from scheduler.database.forms import database_in_place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.database.delivery_verifier import PublishedState, VerifiedDelivery
    from scheduler.database.distribution_files import DistributionFiles
    from scheduler.database.layout import Layout
    from scheduler.queue import Claim

    Verified = Sequence[tuple[Claim, VerifiedDelivery]]

_log = logging.getLogger(__name__)


def deliveries_in_conflict(
    verified: Verified,
    repositories: Sequence[tuple[Layout, PublishedState]],
    distribution: DistributionFiles,
) -> dict[int, str]:
    """Return why deliveries must not be published, by the tokens of their claims.

    `repositories` are all to which they would go. Raises CaurError and OSError.
    """
    checks = []
    for layout, published in repositories:
        arrivals = [_arrival(claim, delivery, layout, published) for claim, delivery in verified]
        if any(arrival.packages for arrival in arrivals):
            checks.append(_check(arrivals, layout, distribution))
    return held_for_conflicts(checks)


def _arrival(
    claim: Claim, delivery: VerifiedDelivery, layout: Layout, published: PublishedState
) -> Arrival:
    is_home = layout.arch == claim.spec.arch
    packages = delivery.fresh if is_home else delivery.fresh_for(layout.arch, published)
    return Arrival(
        delivery=claim.token,
        folder=claim.spec.pkgbase,
        packages=packages,
        removed=delivery.stale_in(published.current, arch=layout.arch) if packages else (),
        allowed=delivery.mandate.expectation.allowed_conflicts,
    )


def _check(
    arrivals: Sequence[Arrival], layout: Layout, distribution: DistributionFiles
) -> ConflictCheck:
    database = database_in_place(layout, "files")
    try:
        return ConflictCheck(arrivals, database, distribution)
    except SyncDatabaseError as error:
        # repo-add writes forms that are not read here; the next publication makes it ours.
        _log.warning("%s is not looked at for files of others: %s", database, error.message)
        return ConflictCheck(arrivals, None, distribution)
