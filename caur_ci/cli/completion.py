"""What shells complete words with. Nothing is said where it cannot be found out in a moment."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.cli.session import Session

# Somebody has pressed a key and waits.
_PATIENCE = 1.0


def packages(context: typer.Context, incomplete: str) -> list[str]:
    """Return the package folders of the working tree, and their pkgbases."""
    from caur_ci.cli.working_tree import known_names  # noqa: PLC0415 - slow to import
    from caur_ci.names import is_package_name  # noqa: PLC0415

    repo = Path(context.params.get("repo") or ".")
    return _beginning(filter(is_package_name, known_names(repo)), incomplete)


def workers(context: typer.Context, incomplete: str) -> list[str]:
    """Return names and ids of the workers and database runners that the queue knows."""
    from caur_ci.cli.session import session_of  # noqa: PLC0415

    found: list[str] = []
    session, url = session_of(context), context.params.get("redis")

    def ask() -> None:
        with suppress(Exception):  # whatever it is, this is no place to tell of it
            found.extend(_workers(session, url))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    return _beginning(found, incomplete)


def _workers(session: Session, url: str | None) -> Iterable[str]:
    """Return the workers, without starting a server or a tunnel for that."""
    from scheduler import embedded  # noqa: PLC0415 - slow to import
    from scheduler.connection import connect, default_state_dir  # noqa: PLC0415
    from scheduler.connection.settings import server_of  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    server = server_of(url, os.environ, session.secrets)
    if server is not None and server.tunnel is not None:
        return ()
    if server is None and embedded.running(default_state_dir()) is None:
        return ()
    with connect(url, secrets=session.secrets) as client:
        known = QueueReader(client).snapshot(limit=1).workers
        return [name for worker in known for name in (worker.name, worker.id)]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
