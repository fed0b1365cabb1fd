"""The build side while it runs: embedded Redis, workers, database runner, and who watches them."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from caur_ci.demo import setup
from caur_ci.standalone.services import Services
from caur_ci.standalone.signing import end_agent
from scheduler import embedded
from scheduler.connection import connect
from scheduler.job import JobState
from scheduler.logs import LogStore
from scheduler.queue import Queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.demo.setup import DemoFolders
    from caur_ci.standalone.board import JobBoard, JobProgress
    from caur_ci.standalone.interrupts import Interrupts
    from caur_ci.standalone.progress import Progress
    from scheduler.settings import ExecutorKind

_WORKERS = ("demo-1", "demo-2")
# Should the demonstration be killed, those that it cannot end any more do so themselves.
_ALONE = ("--idle-exit", "300")
_GLANCE = 0.5


class BuildSystem:
    """Hands requests over to the queue and follows them to their end."""

    def __init__(
        self, made: DemoFolders, services: Services, queue: Queue, logs: LogStore, board: JobBoard
    ) -> None:
        self._made = made
        self._services = services
        self._queue = queue
        self._logs = logs
        self._board = board
        self._seen = "0"
        self._half_hours = 0

    def on_commit(self) -> None:
        """Run the pipeline in the checkout. Raises ProcessError."""
        self._services.call("on-commit", "on-commit", cwd=self._made.checkout)

    def on_schedule(self) -> dict[str, Any]:
        """Run the half-hourly pipeline in the checkout; return its plan. Raises ProcessError."""
        self._half_hours += 1
        plan = self._made.logs / f"on-schedule-{self._half_hours}.json"
        self._services.call(
            "on-schedule", "on-schedule", "--json", cwd=self._made.checkout, document=plan
        )
        document: dict[str, Any] = json.loads(plan.read_bytes())
        return document

    def schedule(self, *arguments: str) -> None:
        """Hand requests over to the queue. Raises ProcessError."""
        self._services.call("schedule", "schedule", *arguments, cwd=self._made.checkout)

    def follow(self, progress: Progress, *, timeout: float) -> None:
        """Watch until the queue is empty, or for `timeout` seconds.

        Raises ProcessError when a worker or the database runner has ended.
        """
        deadline = time.monotonic() + timeout
        while True:
            for event in self._queue.events(self._seen, block=_GLANCE):
                self._seen = event.id
                course = self._board.apply(event)
                if course is not None:
                    progress.moved(course)
                    if course.state is JobState.DONE:
                        self._save_log(course)
            if self._board.is_idle or time.monotonic() > deadline:
                return
            self._services.check()

    def _save_log(self, course: JobProgress) -> None:
        log = self._logs.read_all(course.job_id, course.attempt)
        (self._made.logs / f"{course.pkgbase}.log").write_bytes(log)


@contextmanager
def running_build_system(
    made: DemoFolders, board: JobBoard, interrupts: Interrupts, *, executor: ExecutorKind
) -> Iterator[BuildSystem]:
    """Start everything, and end everything."""
    services = Services(setup.environment(made, executor), made.logs)
    try:
        redis = connect(embedded.ensure(made.state))
        try:
            setup.make_worker_keys(made, _WORKERS)
            services.start("database", "database", *_ALONE)
            for name in _WORKERS:
                key = str(made.worker_key(name))
                variables = {"BUILDER_HOSTNAME": name, "BUILDER_KEY": key}
                services.start(f"worker-{name}", "worker", *_ALONE, variables=variables)
            yield BuildSystem(made, services, Queue(redis), LogStore(redis), board)
        finally:
            with interrupts.held():
                services.stop()
                redis.close()
    finally:
        with interrupts.held():
            services.stop()  # again, should a signal have come in just before
            embedded.stop(made.state)
            end_agent(made.gnupg)
