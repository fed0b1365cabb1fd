"""The benchmarks of the queue do what they say that they measure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from benchmarks.measure import BenchmarkError
from benchmarks.queue import peers
from benchmarks.queue.claiming import Line, claim_costs
from benchmarks.queue.handout import hand_out_delays
from benchmarks.queue.jobs import pairs, plain, web
from benchmarks.queue.server import Server
from scheduler.queue import Queue

if TYPE_CHECKING:
    from redis import Redis


@pytest.fixture
def server(redis_url: str, redis: Redis) -> Server:
    """Return a running server, empty."""
    return Server(redis_url, redis)


def test_the_batch_has_the_dependencies_it_is_said_to_have_and_no_cycles(queue: Queue) -> None:
    jobs = web(200, 600)
    assert jobs == web(200, 600)
    assert sum(len(job.depends) for job in jobs) == 600
    assert len(queue.submit("request", jobs).jobs) == 200
    assert not [event for event in queue.events() if event.kind == "cycle"]


def test_one_half_of_a_line_waits_for_the_other_and_its_length_stays(server: Server) -> None:
    line = Line(server, 20)
    for _ in range(30):
        line.claim()
    snapshot = Queue(server.client).snapshot()
    assert 18 <= snapshot.total_ready + snapshot.total_waiting <= 22
    assert snapshot.total_waiting >= 8
    assert [len(job.depends) for job in pairs(4, first=6)] == [0, 1, 0, 1]


def test_claims_are_measured_in_both_lines(server: Server) -> None:
    line = Line(server, 20)
    costs = claim_costs(line, line, claims=4)
    assert costs.short > 0
    assert costs.ratio == costs.long / costs.short


def test_an_empty_line_is_not_measured(server: Server) -> None:
    with pytest.raises(BenchmarkError, match="empty"):
        Line(server, 0).claim()


def test_every_job_reaches_a_waiting_worker(server: Server) -> None:
    delays = hand_out_delays(server, workers=2, jobs=3)
    assert 0 < delays.half <= delays.nearly_all
    assert Queue(server.client).snapshot(limit=1).total_active <= 1


def test_our_own_side_takes_the_way_of_production_and_ends_all_its_jobs(server: Server) -> None:
    count = len(plain(20))
    ways = []
    for peer in peers.own():
        assert peer.rate(server, count) > 0
        queue = Queue(server.client)
        assert len(queue.snapshot().recent) == count
        ways.append(Counter(event.kind for event in queue.events()))
    failed, built = ways
    assert failed == dict.fromkeys(("submitted", "claimed", "done"), count)
    assert built == failed | dict.fromkeys(("landed", "publishing"), count)
