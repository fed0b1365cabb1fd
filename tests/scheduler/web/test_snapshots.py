"""One look at the queue is for all who look within a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.web import snapshots
from scheduler.web.snapshots import Snapshots
from tests.support.queue import job, submit

if TYPE_CHECKING:
    import pytest

    from scheduler.queue import Queue


def test_who_looks_within_a_moment_sees_the_same(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Snapshots(queue)
    before = shared.get(10)
    submit(queue, job("a"))

    assert shared.get(10) is before
    assert shared.get(11).total_ready == 1

    monkeypatch.setattr(snapshots, "_FRESH_SECONDS", 0.0)
    assert shared.get(10).total_ready == 1
    assert len(shared._taken) == 1
