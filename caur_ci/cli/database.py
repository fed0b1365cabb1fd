"""`caur-ci database`."""

from __future__ import annotations

import secrets

import typer

from caur_ci.cli.options import (
    Config,
    GpgKey,
    GpgPath,
    IdleExit,
    LandingZone,
    Redis,
    RepoPath,
    Strict,
)
from caur_ci.cli.session import session_of
from caur_ci.cli.web import WebPort


def database(
    context: typer.Context,
    *,
    repo_path: RepoPath = None,
    landing_zone: LandingZone = None,
    gpg_path: GpgPath = None,
    gpg_key: GpgKey = None,
    idle_exit: IdleExit = None,
    web_port: WebPort = None,
    config: Config = None,
    redis: Redis = None,
    strict: Strict = False,
) -> None:
    """Check, sign and publish what workers built, and remove packages that are to go.

    The repositories come from the variable PACKAGE_TARGET_REPOS: `{"NAME": {}}`. What may be
    published is told by the source repositories (PACKAGE_REPOS) and by the file with the keys of
    the workers (ALLOWED_WORKERS, see `caur-ci worker --print-key`). All packages that wait at a
    moment are published in one step; pacman reads either the old or the new state.

    Beside it the history is written (HISTORY_PATH): each job that has ended, and its log. With
    `--web-port` the web server runs here, too; if it fails, publishing goes on.

    Others are told as well: chats and mailboxes (docs/notifications.md), the commits that were
    built, and Prometheus (docs/metrics.md).

    SIGTERM or Ctrl-C ends the runner after what it is just publishing, and a second one at once:
    then the next runner publishes it. `caur-ci queue drain` ends the runner likewise in order.
    """
    from caur_ci.cli.companions import companions  # noqa: PLC0415
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
    with open_durable(session, redis, strict=strict) as client, service(session) as stop:
        runner_id = f"database-{secrets.token_hex(5)}"
        runner = database_runner(settings, client, runner_id, stop, passphrase=passphrase)
        with companions(session, settings, client, environment, web_port=web_port):
            runner.run(idle_exit=idle_exit)
