"""Deliveries that are of no use any more, and those that only seem so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.database.orphans import OrphanSweeper
from scheduler.job import Outcome
from tests.support.queue import claimed, job, submit

if TYPE_CHECKING:
    from scheduler.landing import LandingZone
    from scheduler.queue import Queue


def test_only_what_has_a_job_to_be_published_stays(queue: Queue, landing: LandingZone) -> None:
    submit(queue, *(job(name) for name in ("building", "landed", "publishing", "lost", "over")))
    claims = {claim.spec.pkgbase: claim for claim in (claimed(queue) for _ in range(5))}
    names = {name: f"{claim.job_id}-{claim.token}" for name, claim in claims.items()}
    queue.land(claims["publishing"], names["publishing"])
    (publishing,) = queue.claim_landed("runner-1")
    queue.land(claims["landed"], names["landed"])
    queue.release(claims["lost"])
    queue.finish(claims["over"], Outcome.FAILED)
    earlier = f"{publishing.job_id}-1000"
    unfinished = f".incoming-{names['building']}-0a"
    for name in (*names.values(), earlier, unfinished, "4711-1", ".incoming-4711-1-0a"):
        (landing.folder / name).mkdir(parents=True)

    OrphanSweeper(queue, landing).do()
    assert len(list(landing.folder.iterdir())) == 9
    OrphanSweeper(queue, landing, after=-1).do()

    wanted = {names[name] for name in ("building", "landed", "publishing")}
    assert {path.name for path in landing.folder.iterdir()} == {*wanted, unfinished}
