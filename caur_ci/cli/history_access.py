"""The history of the database runner, where commands can reach it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.cli.signals import environment_with
from caur_ci.errors import CaurError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.cli.session import Session
    from scheduler.history import History
    from scheduler.settings import DatabaseSettings, HistorySettings


def history_settings(
    environment: Mapping[str, str], database: DatabaseSettings | None = None
) -> HistorySettings:
    """Return where the history is. Raises ConfigError, also for a place that readers can look at.

    What is below REPO_PATH is for everybody; logs may be not.
    """
    from scheduler.connection import default_state_dir  # noqa: PLC0415 - slow to import
    from scheduler.settings import HistorySettings  # noqa: PLC0415

    history = HistorySettings.from_environment(environment, state_dir=default_state_dir())
    if database is not None and history.path.resolve().is_relative_to(database.repo_path.resolve()):
        raise ConfigError(
            f"HISTORY_PATH={history.path} is below REPO_PATH, which is served to everybody",
            hint="Choose a folder beside it.",
        )
    return history


@contextmanager
def known_history(
    session: Session, environment: Mapping[str, str] | None = None
) -> Iterator[History | None]:
    """Provide the history on this machine to read from; None, after a warning, if it is unusable.

    Where there is none yet it is an empty one. Without an `environment` it is the process's.
    """
    from scheduler.history import History  # noqa: PLC0415 - slow to import

    environment = environment_with() if environment is None else environment
    try:
        history = History.open(history_settings(environment).path, read_only=True)
    except CaurError as error:
        session.warn(f"the history is left out: {error.message}")
        yield None
        return
    with history:
        yield history
