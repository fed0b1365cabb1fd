"""What the web server shows, put together from the parts of both sides."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.cli.history_access import known_history
from caur_ci.cli.web_holds import CloneHolds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from redis import Redis

    from caur_ci.cli.session import Session
    from scheduler.web.services import WebServices


@contextmanager
def web_services(
    session: Session, environment: Mapping[str, str], client: Redis, *, repo: Path | None = None
) -> Iterator[WebServices]:
    """Provide what is shown; what of it cannot be had is left out, with a warning.

    With `repo`, pages tell about the repository of that clone instead of those in PACKAGE_REPOS,
    and its packages can be put on hold. Raises ConfigError for settings that make no sense,
    GitError where `repo` is no clone.
    """
    from caur_ci.cli.web_facts import repository_facts  # noqa: PLC0415 - slow to import
    from scheduler.history import BuildLogs  # noqa: PLC0415 - slow to import
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.metrics import HttpMetrics, Metrics  # noqa: PLC0415
    from scheduler.queue import Queue  # noqa: PLC0415
    from scheduler.web.application import patterns  # noqa: PLC0415
    from scheduler.web.services import WebServices  # noqa: PLC0415

    with (
        known_history(session, environment) as history,
        repository_facts(environment, repo=repo) as facts,
    ):
        http = HttpMetrics(patterns())
        queue = Queue(client)
        yield WebServices(
            queue=queue,
            logs=BuildLogs(LogStore(client), history),
            history=history,
            facts=facts,
            metrics=Metrics(queue, http=http).render,
            holds=CloneHolds(session, repo) if repo is not None else None,
            http=http,
        )
