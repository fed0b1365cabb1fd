"""The queue that commands talk to, found from options, environment and `.ci/config`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError, GitError

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from caur_ci.cli.session import Session
    from scheduler.queue import Queue

_SAYS_WHERE = ("REDIS_HOST", "REDIS_PORT", "REDIS_SSH_HOST", "CAUR_STATE_DIR")


def open_queue(session: Session, url: str | None) -> Queue:
    """Return the queue at `url`, or where the environment says, or in the embedded server."""
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.queue import Queue  # noqa: PLC0415

    return Queue(connect(url, secrets=session.secrets))


def open_durable(session: Session, url: str | None, *, strict: bool) -> Redis:
    """Return a client of the server that is to keep jobs; say what may make it lose them.

    Raises ConfigError for that with `strict`.
    """
    from scheduler.connection import check_durability, connect  # noqa: PLC0415 - slow to import

    client = connect(url, secrets=session.secrets)
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

    Raises ConfigError where the embedded server would take them although nobody builds from it:
    on a pipeline's runner, which goes away, or where `.ci/config` names another server.
    """
    secret = any(session.secrets.get(name) for name in ("REDIS_URL", "REDIS_PASSWORD"))
    if not (url or secret or any(os.environ.get(name) for name in _SAYS_WHERE)):
        _refuse_embedded_server(repo)
    from scheduler.queue import Queue  # noqa: PLC0415 - slow to import

    return Queue(open_durable(session, url, strict=strict))


def _refuse_embedded_server(repo: Path) -> None:
    host = _configured_host(repo)
    if host:
        raise ConfigError(
            f".ci/config says that Redis is behind the SSH host {host}, and this version opens "
            "no tunnels yet",
            hint="Open the tunnel yourself (ssh -L) and name its end with --redis URL.",
        )
    if os.environ.get("GITLAB_CI") or os.environ.get("GITHUB_ACTIONS"):
        raise ConfigError(
            "no Redis server is named; one of our own would go away with this runner",
            hint="Set REDIS_URL (or REDIS_HOST, REDIS_PORT, REDIS_PASSWORD), or use --redis URL.",
        )


def _configured_host(repo: Path) -> str:
    from caur_ci.cli.repository import head_config  # noqa: PLC0415
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import

    try:
        git = GitRepository.open(repo)
    except GitError:
        return ""
    return head_config(git).redis_ssh_host
