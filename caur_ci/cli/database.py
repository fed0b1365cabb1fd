"""`caur-ci database`."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from caur_ci.cli.options import Config, Redis, Strict
from caur_ci.cli.session import session_of


def database(
    context: typer.Context,
    *,
    repo_path: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the pacman repositories are published, as DIR/NAME/ARCH. "
            "Variable REPO_PATH.",
            show_default=False,
        ),
    ] = None,
    landing_zone: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where workers put what they built. Variable LANDING_ZONE_PATH.",
            show_default=False,
        ),
    ] = None,
    gpg_path: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The GnuPG folder with the key that packages are signed with. Variable GPG_PATH.",
            show_default=False,
        ),
    ] = None,
    gpg_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Which key, where there are several. Variable GPG_KEY.",
            show_default=False,
        ),
    ] = None,
    idle_exit: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="End after this long without work. Default: go on for ever.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    redis: Redis = None,
    strict: Strict = False,
) -> None:
    """Check, sign and publish what workers built, and remove packages that are to go.

    The repositories come from the variable PACKAGE_TARGET_REPOS: `{"NAME": {}}`. What may be
    published is told by the source repositories (PACKAGE_REPOS) and by the file with the keys of
    the workers (ALLOWED_WORKERS, see `caur-ci worker --print-key`). All packages that wait at a
    moment are published in one step; pacman reads either the old or the new state.

    SIGTERM or Ctrl-C ends the runner after what it is just publishing, and a second one at once:
    then the next runner publishes it. `caur-ci queue drain` ends the runner likewise in order.
    """
    from caur_ci.cli.queue_connection import open_durable  # noqa: PLC0415
    from caur_ci.cli.signals import environment_with, service  # noqa: PLC0415
    from scheduler.connection import default_state_dir  # noqa: PLC0415
    from scheduler.database.service import database_runner  # noqa: PLC0415
    from scheduler.settings import DatabaseSettings  # noqa: PLC0415

    session = session_of(context)
    environment = environment_with(
        CAUR_CONFIG=config,
        REPO_PATH=repo_path,
        LANDING_ZONE_PATH=landing_zone,
        GPG_PATH=gpg_path,
        GPG_KEY=gpg_key,
    )
    settings = DatabaseSettings.from_environment(environment, state_dir=default_state_dir())
    passphrase = session.secrets.get("GPG_PASSPHRASE", "")
    with service(session) as stop, open_durable(session, redis, strict=strict) as client:
        runner_id = f"database-{secrets.token_hex(5)}"
        runner = database_runner(settings, client, runner_id, stop, passphrase=passphrase)
        runner.run(idle_exit=idle_exit)
