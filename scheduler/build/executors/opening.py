"""Which executor a worker uses."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.build.executors.container import ContainerExecutor
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
        place = settings.shared / "containers"
        opened = ContainerExecutor.opened(settings.container, place, readable=settings.readable)
        with opened as executor:
            executor.check()
            yield executor
    else:
        local = [path for path in (settings.landing_zone,) if isinstance(path, Path)]
        host = HostExecutor(
            hidden=(settings.key, settings.shared, *local), readable=settings.readable
        )
        host.check()
        yield host
