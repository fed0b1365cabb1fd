"""`caur-ci web`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import Config, Redis
from caur_ci.cli.session import Session, session_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from redis import Redis as RedisClient

    from scheduler.settings import WebSettings

WebPort = Annotated[
    int | None,
    typer.Option(
        "--web-port",
        metavar="N",
        min=0,
        max=65535,
        help="Run the web server as well, at this port; see `caur-ci web`.",
        show_default=False,
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        "--web-port",
        metavar="N",
        min=0,
        max=65535,
        help="The port; 0 is any that is free. Variable WEB_PORT, default 8080.",
        show_default=False,
    ),
]
Host = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="The address to listen at. Variable WEB_HOST, default 127.0.0.1: only for programs "
        "of this machine, such as a reverse proxy.",
        show_default=False,
    ),
]

Clone = Annotated[
    Path | None,
    typer.Option(
        "--repo",
        metavar="DIR",
        help="A clone of the repository of PKGBUILDs that pages tell about, instead of those in "
        "PACKAGE_REPOS. Where it may push, packages can be put on hold.",
        show_default=False,
    ),
]


def web(
    context: typer.Context,
    *,
    port: Port = None,
    host: Host = None,
    repo: Clone = None,
    config: Config = None,
    redis: Redis = None,
) -> None:
    """Show the queue, packages, builds and their logs to browsers and programs.

    Nothing can be changed through it unless the variable API_TOKEN is set; docs/web.md says how to
    put it behind a reverse proxy.

    SIGTERM or Ctrl-C ends it.
    """
    from caur_ci.cli.signals import environment_with, service  # noqa: PLC0415
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import

    session = session_of(context)
    environment = environment_with(CAUR_CONFIG=config, WEB_HOST=host)
    with connect(redis, secrets=session.secrets) as client, service(session) as stop:
        serve(session, environment, client, stop, port=port, repo=repo)


def serve(
    session: Session,
    environment: Mapping[str, str],
    client: RedisClient,
    stop: threading.Event,
    *,
    port: int | None = None,
    repo: Path | None = None,
) -> None:
    """Serve until told to stop; `port` goes before the environment's, `repo` is a clone.

    Raises ConfigError, and TemporaryError where the server fails.
    """
    from caur_ci.cli.web_services import web_services  # noqa: PLC0415
    from caur_ci.errors import TemporaryError  # noqa: PLC0415
    from scheduler.web.server import running_server  # noqa: PLC0415 - slow to import

    settings = web_settings(session, environment, port=port)
    with (
        web_services(session, environment, client, repo=repo) as services,
        running_server(services, settings) as server,
    ):
        while not stop.wait(1.0):
            if not server.is_running:
                raise TemporaryError("the web server has failed", hint="Its log says why.")


def web_settings(
    session: Session, environment: Mapping[str, str], *, port: int | None = None
) -> WebSettings:
    """Return the settings of the web server. Raises ConfigError."""
    from scheduler.settings import WebSettings  # noqa: PLC0415 - slow to import

    settings = WebSettings.from_environment(environment, token=session.secrets.get("API_TOKEN", ""))
    return settings if port is None else replace(settings, port=port)
