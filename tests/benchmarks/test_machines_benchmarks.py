"""The simulation of many builders goes the way of real ones, and reads the server's meters."""

from __future__ import annotations

import re

from benchmarks.machines.crowd import Task, crowd, wait_for
from benchmarks.machines.rows import machines_rows
from benchmarks.queue.jobs import plain
from benchmarks.queue.server import private_server
from scheduler.logs import LogStore
from scheduler.queue import Queue
from tests.support.queue import eventually


def test_builders_print_and_hold_their_jobs_and_hand_them_back_at_the_end() -> None:
    with private_server() as server:
        queue = Queue(server.client)
        queue.submit("request", plain(3))
        with crowd(server.url, 2, Task.FOR_LONG) as signals:
            wait_for(signals.taken, 2)
            assert (queue.snapshot().total_active, queue.snapshot().total_ready) == (2, 1)
            eventually(lambda: len(queue.snapshot().workers) == 3)  # the runner, too
        after = queue.snapshot()
        assert (after.total_active, after.total_ready) == (0, 3)
        assert len(LogStore(server.client).names()) == 2


def test_every_state_is_watched() -> None:
    rows = dict(machines_rows(builders=3, packages=60, seconds=0.2))
    assert len(rows) == 14
    assert rows["3 builders wait: connections"] in {"4", "5"}
    (done,) = (found for what, found in rows.items() if what.endswith("claimed and landed"))
    assert re.fullmatch(r"[1-9]\d*/s", done)
    assert re.search(r"[1-9]", rows["processor time of the server for a job, published and all"])
