"""The build side of a run: an embedded Redis, workers, and a database runner in this process.

The database runner is no child: it alone signs, and the passphrase leaves this process for nobody.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.standalone.services import Services
from caur_ci.standalone.settings import worker_name
from scheduler import embedded
from scheduler.connection import connect
from scheduler.database.service import database_runner
from scheduler.job import JobState
from scheduler.logs import LogStore
from scheduler.queue import Queue
from scheduler.settings import DatabaseSettings
from scheduler.workerkeys import WorkerKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from redis import Redis

    from caur_ci.standalone.interrupts import Interrupts
    from caur_ci.standalone.settings import Setting
    from scheduler.database.runner import DatabaseRunner

_GLANCE = 0.2
_ENDED_WITHIN = 60.0
# What may be with the database runner.
_LANDED = (JobState.LANDED, JobState.PUBLISHING)
_MOST = 100_000


class BuildSide:
    """A queue that is worked on.

    `grace` is for how many seconds files stay that are not listed any more.
    """

    def __init__(
        self, redis: Redis, workers: Services, runner: RunnerThread, *, grace: float
    ) -> None:
        self.queue = Queue(redis)
        self.logs = LogStore(redis)
        self.grace = grace
        self._workers = workers
        self._runner = runner

    def check(self) -> None:
        """Raise ProcessError where a worker has ended, and whatever ended the database runner."""
        self._workers.check()
        self._runner.check()

    def is_idle(self) -> bool:
        """Tell whether nothing goes on any more: what is left waits for people, or for nothing."""
        now = self.queue.snapshot(limit=_MOST)
        if now.total_ready or now.total_delayed:
            return False
        if any(job.state is not JobState.STAGED for job in now.active):
            return False
        if any(not removal.held for removal in self.queue.removals()):
            return False
        return all(group.is_held_up or group.unbuilt for group in self.queue.groups())

    def stop_building(self, *, within: float) -> None:
        """Let workers hand back what they have, and publish what was built before."""
        self._workers.stop()
        deadline = time.monotonic() + within
        while self._has_landed() and time.monotonic() < deadline:
            self._runner.check()
            time.sleep(_GLANCE)

    def troubles(self) -> dict[str, str]:
        """Return why workers take no jobs, by their names."""
        return {it.name: it.trouble for it in self.queue.snapshot(limit=0).workers if it.trouble}

    def _has_landed(self) -> bool:
        return any(job.state in _LANDED for job in self.queue.snapshot(limit=_MOST).active)


class RunnerThread:
    """A database runner in a thread of its own."""

    def __init__(self, runner: DatabaseRunner, stop: threading.Event) -> None:
        self._runner = runner
        self._stop = stop
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="database runner", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def check(self) -> None:
        """Raise what ended it."""
        if self._error is not None:
            raise self._error
        if self._thread.ident is not None and not self._thread.is_alive():
            raise CaurError("the database runner has ended before its time")

    def stop(self) -> None:
        """End it after what it is just publishing."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_ENDED_WITHIN)

    def _run(self) -> None:
        try:
            self._runner.run()
        except BaseException as error:  # noqa: BLE001 - `check` raises it
            self._error = error


@contextmanager
def build_side(
    setting: Setting, workers: int, interrupts: Interrupts, *, passphrase: str
) -> Iterator[BuildSide]:
    """Start all of it, and end all of it; the queue is kept.

    Raises CaurError where this machine lacks something, SigningError for a key that cannot sign.
    """
    work = setting.work
    environment = setting.environment()
    names = [worker_name(number) for number in range(1, workers + 1)]
    allow_workers(work.allowed_workers, {name: work.worker_key(name) for name in names})
    settings = DatabaseSettings.from_environment(environment, state_dir=work.state)
    services, stop = Services(environment, work.logs), threading.Event()
    redis = connect(embedded.ensure(work.state))
    try:
        with _logged(work.logs / "database.log"):
            name = f"database-{secrets.token_hex(5)}"
            runner = RunnerThread(
                database_runner(settings, redis, name, stop, passphrase=passphrase), stop
            )
            try:
                runner.start()
                for name in names:
                    services.start(name, "worker", variables=setting.of_worker(name))
                yield BuildSide(redis, services, runner, grace=settings.grace)
            finally:
                with interrupts.held():
                    services.stop()
                    runner.stop()
    finally:
        with interrupts.held():
            redis.close()
            embedded.stop(work.state)


def allow_workers(allowed: Path, keys: Mapping[str, Path]) -> None:
    """Make the key of each worker, by its name, where it is missing; allow their deliveries."""
    lines = [WorkerKey.ensure(key).allowed_line(name) for name, key in keys.items()]
    allowed.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Write what the database runner tells into a file."""
    logger = logging.getLogger("scheduler")
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()
