"""Which executor a worker uses."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError
from scheduler.build.executors.host import HostExecutor
from scheduler.settings import ExecutorKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.build.executors.protocol import Executor
    from scheduler.settings import WorkerSettings


@contextmanager
def opened_executor(settings: WorkerSettings) -> Iterator[Executor]:
    """Provide the executor that `settings` ask for, for as long as the worker runs.

    Raises ConfigError or ProcessError where this machine cannot build this way.
    """
    if settings.executor is ExecutorKind.CONTAINER:
        raise ConfigError("the container executor cannot be used yet")
    local = [path for path in (settings.landing_zone,) if isinstance(path, Path)]
    executor = HostExecutor(
        hidden=(settings.key, settings.shared, *local), readable=settings.readable
    )
    executor.check()
    yield executor
