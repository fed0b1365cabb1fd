"""Which executor a worker uses."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError
from scheduler.settings import ExecutorKind
from scheduler.worker.executors.container.executor import ContainerExecutor
from scheduler.worker.executors.host.executor import HostExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scheduler.settings import WorkerSettings
    from scheduler.worker.executors.protocol import Executor


@contextmanager
def opened_executor(settings: WorkerSettings) -> Iterator[Executor]:
    """Provide the executor that `settings` ask for, for as long as the worker runs.

    Raises ConfigError or ProcessError where this machine cannot build this way.
    """
    hidden = _hidden(settings)
    _check_readable(settings.readable, hidden)
    if settings.executor is ExecutorKind.CONTAINER:
        place = settings.shared / "containers"
        opened = ContainerExecutor.opened(settings.container, place, readable=settings.readable)
        with opened as executor:
            executor.check()
            yield executor
    else:
        host = HostExecutor(hidden=hidden, readable=settings.readable, installs=settings.installs)
        host.check()
        yield host


def _hidden(settings: WorkerSettings) -> list[Path]:
    """Return what no build must see."""
    landing = settings.landing_zone
    if isinstance(landing, Path):
        return [settings.key, settings.shared, landing]
    # It may be the key itself, of which there is no path then.
    key = [Path(landing.ssh.key)] if landing.ssh.key.startswith(("/", "~")) else []
    return [settings.key, settings.shared, *(path.expanduser() for path in key)]


def _check_readable(readable: Sequence[Path], hidden: Sequence[Path]) -> None:
    for path in readable:
        inside = [secret for secret in hidden if secret.is_relative_to(path)]
        if inside:
            raise ConfigError(
                f"BUILDER_READABLE shows {path} to builds, and with it {inside[0]}",
                hint="Name only what builds need, or move what they must not see.",
            )
