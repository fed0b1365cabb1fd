"""What the web server shows, put together from the parts of both sides."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.cli.history_access import known_history

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from redis import Redis

    from caur_ci.cli.session import Session
    from scheduler.web.services import WebServices


@contextmanager
def web_services(
    session: Session, environment: Mapping[str, str], client: Redis
) -> Iterator[WebServices]:
    """Provide what is shown; what of it cannot be had is left out, with a warning."""
    from scheduler.history import BuildLogs  # noqa: PLC0415 - slow to import
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import Queue  # noqa: PLC0415
    from scheduler.web.services import WebServices  # noqa: PLC0415

    with known_history(session, environment) as history:
        yield WebServices(
            queue=Queue(client), logs=BuildLogs(LogStore(client), history), history=history
        )
