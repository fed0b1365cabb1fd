"""Opens the connection to the server that was asked for."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from scheduler.connection.errors import NoServerError, named_server, redis_errors
from scheduler.connection.settings import Server, default_state_dir, server_at, server_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from redis import Redis

    from scheduler.ssh import SshHost
    from scheduler.tunnel import Tunnel

# To tell soon that there is no server, although one that is there is waited for longer.
_FIRST_PATIENCE = 1.0
_FIRST_ANSWER_TIMEOUT = 10.0


def connect(
    url: str | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    state_dir: Path | None = None,
    begin: bool = True,
) -> Redis:
    """Return a client of the server that the options and the environment name.

    In this order: `url`; REDIS_URL; REDIS_HOST, REDIS_PORT, REDIS_USER and REDIS_PASSWORD, through
    an SSH tunnel if REDIS_SSH_HOST is set; the embedded server of `state_dir` (default:
    `default_state_dir()`), which is started where it is not running; without `begin` only where it
    has been before. REDIS_URL, REDIS_PASSWORD and REDIS_SSH_KEY are taken from `secrets`, the rest
    from `environ` (default: the process's own).

    The server has answered when this returns. The client goes on when the server or the tunnel
    was away for some seconds; closing it closes the tunnel.

    Raises TemporaryError when it cannot be reached, ConfigError when the settings make no sense,
    NoServerError for a server that would be new, CaurError when the server or the SSH host is not
    the right one or does not let us in.
    """
    server = server_of(url, os.environ if environ is None else environ, secrets or {})
    if server is None:
        return _embedded(state_dir or default_state_dir(), begin=begin)
    if server.tunnel is not None:
        return _through_tunnel(server, server.tunnel)
    return _reached(server)


def client_of(url: str, *, patience: float | None = None) -> Redis:
    """Return a client for `url`; nothing is sent yet.

    `patience` is how many seconds a command is repeated when the server is away.
    Raises ConfigError.
    """
    from scheduler.connection.client import new_client  # noqa: PLC0415 - slow to import

    return new_client(server_at(url), patience=patience)


def _embedded(state_dir: Path, *, begin: bool) -> Redis:
    from scheduler import embedded  # noqa: PLC0415 - only where it is needed

    if not (begin or embedded.is_known(state_dir)):
        raise NoServerError(
            "there is no queue: no Redis server is named, and none has been used on this machine",
            hint="Name it with --redis, REDIS_URL or REDIS_HOST. Without them `caur-ci schedule`, "
            "`caur-ci worker` and `caur-ci database` start one here.",
        )
    server = Server(url=embedded.ensure(state_dir))
    return _reached(server, repair=partial(embedded.revive, state_dir))


def _through_tunnel(server: Server, settings: SshHost) -> Redis:
    from scheduler.tunnel import Tunnel  # noqa: PLC0415 - only where it is needed

    parts = urlsplit(server.url)
    tunnel = Tunnel(settings, parts.netloc.rpartition("@")[2])
    tunnel.open()
    login = parts.netloc[: parts.netloc.rfind("@") + 1]
    try:
        return _reached(
            Server(url=f"unix://{login}{quote(str(tunnel.socket))}"),
            name=lambda: "; ".join((server.name, *tunnel.last_words()[-1:])),
            tunnel=tunnel,
        )
    except BaseException:
        tunnel.close()
        raise


def _reached(
    server: Server,
    *,
    name: Callable[[], str] | None = None,
    repair: Callable[[], object] | None = None,
    tunnel: Tunnel | None = None,
) -> Redis:
    """Return a client that is patient from now on: the server has answered once."""
    from scheduler.connection.client import new_client  # noqa: PLC0415 - slow to import

    with (
        redis_errors(),
        named_server(name or (lambda: server.name)),
        new_client(server, patience=_FIRST_PATIENCE, answer_timeout=_FIRST_ANSWER_TIMEOUT) as probe,
    ):
        probe.ping()
    return new_client(server, repair=repair, tunnel=tunnel)
