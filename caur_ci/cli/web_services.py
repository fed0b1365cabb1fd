"""What the web server shows, put together from the parts of both sides."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from redis import Redis

    from caur_ci.cli.session import Session
    from scheduler.history import History
    from scheduler.web.services import WebServices


@contextmanager
def web_services(
    session: Session, environment: Mapping[str, str], client: Redis
) -> Iterator[WebServices]:
    """Provide what is shown; what of it cannot be had is left out, with a warning.

    Raises ConfigError for settings that make no sense.
    """
    from scheduler.history import BuildLogs  # noqa: PLC0415 - slow to import
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import Queue  # noqa: PLC0415
    from scheduler.web.services import WebServices  # noqa: PLC0415

    with ExitStack() as stack:
        history = _history(session, environment, stack)
        yield WebServices(
            queue=Queue(client), logs=BuildLogs(LogStore(client), history), history=history
        )


def _history(session: Session, environment: Mapping[str, str], stack: ExitStack) -> History | None:
    from caur_ci.cli.history_access import history_settings  # noqa: PLC0415
    from caur_ci.errors import CaurError, ConfigError  # noqa: PLC0415
    from scheduler.history import History  # noqa: PLC0415 - slow to import

    try:
        path = history_settings(environment).path
        return stack.enter_context(History.open(path, read_only=True))
    except ConfigError:
        raise
    except CaurError as error:
        session.warn(f"there is no history to be shown: {error.message}")
        return None
