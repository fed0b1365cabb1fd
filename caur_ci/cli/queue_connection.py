"""The queue that commands talk to, found from options, environment and `.ci/config`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError, GitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from redis import Redis

    from caur_ci.cli.session import Session
    from scheduler.queue import Queue

_SAYS_WHERE = ("REDIS_HOST", "REDIS_SSH_HOST", "CAUR_STATE_DIR")
_SAYS_SOMETHING = ("REDIS_SSH_HOST", "REDIS_PORT", "REDIS_CA_CERT", "REDIS_CLIENT_CERT")


def open_queue(session: Session, url: str | None, *, begin: bool = False) -> Queue:
    """Return the queue at `url`, or where the environment says, or in the embedded server.

    Raises NoServerError where that would be a new one, unless that is meant to `begin` here.
    """
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.queue import Queue  # noqa: PLC0415

    return Queue(connect(url, secrets=session.secrets, begin=begin))


def open_durable(
    session: Session, url: str | None, *, strict: bool, environ: Mapping[str, str] | None = None
) -> Redis:
    """Return a client of the server that is to keep jobs; say what may make it lose them.

    Raises ConfigError for that with `strict`.
    """
    from scheduler.connection import check_durability, connect  # noqa: PLC0415 - slow to import

    client = connect(url, secrets=session.secrets, environ=environ)
    findings = check_durability(client)
    if findings and strict:
        client.close()
        raise ConfigError(
            f"the Redis server may lose jobs: {'; '.join(findings)}",
            hint="Set `appendonly yes` and `maxmemory-policy noeviction` in its configuration, "
            "or go without --strict.",
        )
    for finding in findings:
        session.warn(f"the Redis server may lose jobs: {finding}")
    return client


def open_queue_for_hand_over(
    session: Session, url: str | None, repo: Path, *, strict: bool = False
) -> Queue:
    """Return the queue to hand builds over to; about `strict` see `open_durable`.

    Where neither `url` nor the environment says where it is, `.ci/config` may name the SSH host
    that it is behind.

    Raises ConfigError where the embedded server would take the builds although nobody takes them
    from there: on a pipeline's runner, which goes away.
    """
    from scheduler.queue import Queue  # noqa: PLC0415 - slow to import

    environ = {name: value for name, value in os.environ.items() if value}
    if not (url or session.secrets.get("REDIS_URL") or _any(_SAYS_WHERE, environ)):
        environ = {**_configured_tunnel(repo), **environ}
        if not (session.secrets.get("REDIS_PASSWORD") or _any(_SAYS_SOMETHING, environ)):
            _refuse_embedded_server(environ)
    return Queue(open_durable(session, url, strict=strict, environ=environ))


def known_queue(session: Session, url: str | None, repo: Path) -> Queue | None:
    """Return the queue that builds would be handed over to, without starting a server for that.

    None where no server is named, and none of this machine runs.
    """
    from scheduler.queue import Queue  # noqa: PLC0415 - slow to import

    client = known_server(session, url, repo)
    return Queue(client) if client is not None else None


def known_server(session: Session, url: str | None, repo: Path) -> Redis | None:
    """Return a client of the server of that queue, None as there."""
    from scheduler import embedded  # noqa: PLC0415 - slow to import
    from scheduler.connection import connect, default_state_dir  # noqa: PLC0415
    from scheduler.connection.settings import server_of  # noqa: PLC0415

    environ = {name: value for name, value in os.environ.items() if value}
    if not (url or session.secrets.get("REDIS_URL") or _any(_SAYS_WHERE, environ)):
        environ = {**_configured_tunnel(repo), **environ}
    server = server_of(url, environ, session.secrets)
    if server is None and embedded.running(default_state_dir()) is None:
        return None
    return connect(url, secrets=session.secrets, environ=environ)


def _any(names: Iterable[str], environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in names)


def _refuse_embedded_server(environ: Mapping[str, str]) -> None:
    if _any(("GITLAB_CI", "GITHUB_ACTIONS"), environ):
        raise ConfigError(
            "no Redis server is named; one of our own would go away with this runner",
            hint="Set REDIS_URL (or REDIS_HOST, REDIS_PORT, REDIS_PASSWORD), or use --redis URL, "
            "or set REDIS_SSH_HOST in .ci/config.",
        )


def _configured_tunnel(repo: Path) -> dict[str, str]:
    """Return what `.ci/config` says about the way to Redis, as variables; empty if nothing."""
    from caur_ci.cli.head_config import head_config  # noqa: PLC0415
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import

    try:
        git = GitRepository.open(repo)
    except GitError:
        return {}
    config = head_config(git)
    if not config.redis_ssh_host:
        return {}
    settings = {
        "REDIS_SSH_HOST": config.redis_ssh_host,
        "REDIS_SSH_PORT": str(config.redis_ssh_port or ""),
        "REDIS_SSH_USER": config.redis_ssh_user,
        "REDIS_SSH_HOST_FINGERPRINT": config.redis_ssh_host_fingerprint,
        "REDIS_PORT": str(config.redis_port or ""),
    }
    return {name: value for name, value in settings.items() if value}
