"""Holding a claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from scheduler.connection import client_of
from scheduler.heartbeat import Heartbeat
from scheduler.job import Removal
from scheduler.queue import Queue, StaleClaimError
from tests.support.queue import claimed, eventually, job, submit

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis


def test_a_claim_is_held_for_longer_than_its_lease(redis: Redis) -> None:
    queue = Queue(redis, lease=0.5)
    submit(queue, job("tool"))
    claim = claimed(queue)
    answers = []
    with Heartbeat(queue, [claim], interval=0.05) as heartbeat:
        seen = claim.lease_until
        while seen < claim.lease_until + 1:
            answers += queue.reap()
            seen = queue.renew(claim).lease_until
        assert not heartbeat.has_lost(claim)
        assert not heartbeat.is_canceled(claim)
    assert answers == []


def test_a_cancellation_and_a_loss_are_noticed(queue: Queue) -> None:
    submit(queue, job("one"), job("two"))
    one, two = claimed(queue), claimed(queue)
    with Heartbeat(queue, [one, two], interval=0.02) as heartbeat:
        queue.submit("removal", [], [Removal(target_repo="repo", remove=("one",))])
        eventually(lambda: heartbeat.is_canceled(one))
        assert not heartbeat.has_lost(one)
        queue.release(two)
        eventually(lambda: heartbeat.has_lost(two))
        assert not heartbeat.is_canceled(two)


def test_without_a_server_a_claim_is_given_up_after_the_length_of_a_lease(
    queue: Queue, tmp_path: Path
) -> None:
    submit(queue, job("tool"))
    claim = claimed(queue)

    def unreachable() -> None:
        raise TemporaryError("out of reach")

    with (
        client_of(f"unix://{tmp_path}/nobody", patience=0.1) as nobody,
        Heartbeat(Queue(nobody), [claim], interval=0.02, patience=0.1) as heartbeat,
    ):
        with pytest.raises(StaleClaimError, match="lost meanwhile"):
            heartbeat.retry_while_held(claim, unreachable)
        assert heartbeat.has_lost(claim)
