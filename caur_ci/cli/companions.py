"""What runs beside the database runner: it follows what happens, and stops nothing if it fails."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.cli.history_access import history_settings
from caur_ci.cli.telling import telling
from caur_ci.cli.web import serve, web_settings
from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from redis import Redis

    from caur_ci.cli.session import Session
    from scheduler.following import EventConsumer
    from scheduler.history import History
    from scheduler.settings import DatabaseSettings, HistorySettings

_log = logging.getLogger("scheduler.companions")

# How long it is waited before what does not work is tried again.
_PATIENCE = 10.0
# How long what is just being written may take at the end.
_LAST_WAIT = 10.0


@contextmanager
def companions(
    session: Session,
    settings: DatabaseSettings,
    client: Redis,
    environment: Mapping[str, str],
    *,
    web_port: int | None = None,
) -> Iterator[None]:
    """Run what follows the queue beside the database runner, each in a thread of its own.

    With `web_port` the web server is one of them, and others are told what happens. Raises
    ConfigError for settings that cannot be followed.
    """
    ending = threading.Event()
    history = history_settings(environment, settings)
    tasks: dict[str, Callable[[], None]] = {
        "history": lambda: _keep_history(history, settings, client, ending),
    }
    if web_port is not None:
        web_settings(session, environment)
        tasks["pages"] = lambda: _serve(session, environment, client, web_port, ending)
    threads = [
        threading.Thread(target=task, name=name, daemon=True) for name, task in tasks.items()
    ]
    for thread in threads:
        thread.start()
    try:
        with telling(session, environment, client):
            yield
    finally:
        ending.set()
        for thread in threads:
            thread.join(_LAST_WAIT)


def _keep_history(
    settings: HistorySettings, database: DatabaseSettings, client: Redis, ending: threading.Event
) -> None:
    """Write the history until the end, as soon as nobody else does and nothing is in the way."""
    from scheduler.history import History  # noqa: PLC0415

    told = ""
    while not ending.is_set():
        try:
            with History.open(settings.path) as history:
                _log.info("the history is in %s", settings.path)
                _follow(client, _writers(history, settings, database, client), ending)
        except CaurError as error:
            if error.message != told:
                hint = f" {error.hint}" if error.hint else ""
                _log.warning("no history is written here for now: %s%s", error.message, hint)
            told = error.message
            ending.wait(_PATIENCE)


def _serve(
    session: Session,
    environment: Mapping[str, str],
    client: Redis,
    port: int,
    ending: threading.Event,
) -> None:
    """Run the web server until the end, again where it fails."""
    while not ending.is_set():
        try:
            serve(session, environment, client, ending, port=port)
        except CaurError as error:
            _log.warning("there is no web server for now: %s", error.message)
            ending.wait(_PATIENCE)


def _follow(client: Redis, consumers: list[EventConsumer], ending: threading.Event) -> None:
    from scheduler.following import Follower  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    threads = [Follower(QueueReader(client), each, ending).start() for each in consumers]
    for thread in threads:
        thread.join()


def _writers(
    history: History, settings: HistorySettings, database: DatabaseSettings, client: Redis
) -> list[EventConsumer]:
    from scheduler.database.former import former_publications  # noqa: PLC0415
    from scheduler.history import HistoryRecorder, LogArchiver  # noqa: PLC0415
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import Queue, QueueReader  # noqa: PLC0415

    return [
        HistoryRecorder(
            Queue(client),
            history,
            published=lambda: former_publications(database.repo_path, database.target_repos),
            days=settings.days,
        ),
        LogArchiver(
            QueueReader(client),
            LogStore(client),
            history,
            days=settings.log_days,
            largest=settings.log_size,
        ),
    ]
