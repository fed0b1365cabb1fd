"""The queue that commands talk to, found from options, environment and `.ci/config`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError, GitError

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.cli.session import Session
    from scheduler.queue import Queue

_SAYS_WHERE = ("REDIS_HOST", "REDIS_PORT", "REDIS_SSH_HOST", "CAUR_STATE_DIR")


def open_queue(session: Session, url: str | None) -> Queue:
    """Return the queue at `url`, or where the environment says, or in the embedded server."""
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.queue import Queue  # noqa: PLC0415

    return Queue(connect(url, secrets=session.secrets))


def open_queue_for_hand_over(session: Session, url: str | None, repo: Path) -> Queue:
    """Return the queue to hand builds over to.

    Raises ConfigError where the embedded server would take them although nobody builds from it:
    on a pipeline's runner, which goes away, or where `.ci/config` names another server.
    """
    secret = any(session.secrets.get(name) for name in ("REDIS_URL", "REDIS_PASSWORD"))
    if not (url or secret or any(os.environ.get(name) for name in _SAYS_WHERE)):
        _refuse_embedded_server(repo)
    return open_queue(session, url)


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
