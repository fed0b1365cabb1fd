"""Whether it is a package's turn to be built for new commits, as CI_VCS_INTERVAL says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.config.interval import VcsInterval
    from caur_ci.update.vcs.seen import VcsSeen

_DAY = 86_400
# A run begins a little earlier or later than the one at the same time of another day.
_GRACE = 900


def is_due(interval: VcsInterval, seen: VcsSeen, *, total: int, now: float) -> bool:
    """Tell whether a package may be built at `now`, in Unix seconds.

    `total` is how many commits there are now, 0 where that is not known.
    """
    if interval.days and now < seen.built + interval.days * _DAY - _GRACE:
        return False
    if interval.commits and _new_commits(seen, total) < interval.commits:
        return False
    return interval.allows_hour(now)


def counted(seen: VcsSeen, commits: Iterable[str]) -> VcsSeen:
    """Return what is remembered once `commits` were there: one move more if they are others.

    Where nobody tells how many commits came, every move is at least one.
    """
    latest = hashlib.sha256("\n".join(commits).encode()).hexdigest()[:16]
    if latest == seen.latest:
        return seen
    return replace(seen, latest=latest, moves=seen.moves + 1)


def _new_commits(seen: VcsSeen, total: int) -> int:
    if total and seen.total:
        # After a forced push there may be fewer.
        return max(total - seen.total, seen.moves)
    return seen.moves
