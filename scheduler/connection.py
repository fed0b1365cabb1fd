"""How a Redis server is found and reached, and what its errors mean to us."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from caur_ci.errors import CaurError, ConfigError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from redis import Redis

_SCHEMES = ("redis", "rediss", "unix")
_DEFAULT_HOST = "127.0.0.1"
_DEFAULT_PORT = 6379

_CONNECT_TIMEOUT = 10
# Above the longest time that any of our commands blocks in the server.
_ANSWER_TIMEOUT = 30
_HEALTH_CHECK_INTERVAL = 30


def connect(
    url: str | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    state_dir: Path | None = None,
) -> Redis:
    """Return a client of the server that the options and the environment name.

    In this order: `url`; REDIS_URL; REDIS_HOST, REDIS_PORT and REDIS_PASSWORD; the embedded
    server of `state_dir` (default: `default_state_dir()`), which is started where it is not
    running. REDIS_URL and REDIS_PASSWORD are taken from `secrets`. The server has answered when
    this returns.

    Raises TemporaryError when it cannot be reached, ConfigError when the settings make no sense.
    """
    address = url or server_url(os.environ, secrets or {})
    if address is None:
        from scheduler import embedded  # noqa: PLC0415 - it needs this module

        address = embedded.ensure(state_dir or default_state_dir())
    client = client_of(address)
    with redis_errors(), _named_server(address):
        client.ping()
    return client


def server_url(environ: Mapping[str, str], secrets: Mapping[str, str]) -> str | None:
    """Return the URL of the server that the environment names, or None if it names none.

    Raises ConfigError for settings that cannot be followed; nothing else is used in their place.
    """
    if secrets.get("REDIS_URL"):
        return secrets["REDIS_URL"]
    if environ.get("REDIS_SSH_HOST"):
        raise ConfigError(
            "REDIS_SSH_HOST is set, but SSH tunnels to Redis are not supported yet",
            hint="Open the tunnel yourself (ssh -N -L 6380:localhost:6379 HOST) and give "
            "--redis redis://localhost:6380, or unset REDIS_SSH_HOST.",
        )
    host, port = environ.get("REDIS_HOST"), environ.get("REDIS_PORT")
    password = secrets.get("REDIS_PASSWORD")
    if not (host or port or password):
        return None
    login = f":{quote(password, safe='')}@" if password else ""
    host = host or _DEFAULT_HOST
    return f"redis://{login}{f'[{host}]' if ':' in host else host}:{_port(port)}"


def client_of(url: str) -> Redis:
    """Return a client for `url`; nothing is sent yet. Raises ConfigError."""
    from redis import Redis  # noqa: PLC0415 - slow to import
    from redis.backoff import ExponentialBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    if urlsplit(url).scheme not in _SCHEMES:
        raise ConfigError(
            f"{url.rpartition('@')[2]} is not the address of a Redis server",
            hint="It looks like redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… for TLS, or "
            "unix:///PATH.",
        )
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=_CONNECT_TIMEOUT,
            socket_timeout=_ANSWER_TIMEOUT,
            health_check_interval=_HEALTH_CHECK_INTERVAL,
            retry=Retry(ExponentialBackoff(cap=1, base=0.05), 3),
        )
    except ValueError as error:
        raise ConfigError(f"the address of the Redis server cannot be read: {error}") from error


def default_state_dir() -> Path:
    """Return CAUR_STATE_DIR, else `caur-ci` in the user's XDG state folder."""
    if own := os.environ.get("CAUR_STATE_DIR"):
        return Path(own)
    if state_home := os.environ.get("XDG_STATE_HOME"):
        return Path(state_home) / "caur-ci"
    return Path.home() / ".local" / "state" / "caur-ci"


@contextmanager
def redis_errors() -> Iterator[None]:
    """Translate the errors of the Redis client into ours.

    An answer that can only come from a mistake of our own stays what it is.
    """
    from redis import exceptions  # noqa: PLC0415 - slow to import

    try:
        yield
    except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
        raise CaurError(
            f"the Redis server does not let us in: {error}",
            hint="Check user and password in REDIS_URL or REDIS_PASSWORD.",
        ) from error
    except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
        raise TemporaryError(
            f"the Redis server cannot be reached: {error}",
            hint="Check that it runs and that its address is right (--redis, REDIS_URL, "
            "REDIS_HOST), then try again.",
        ) from error
    except exceptions.ResponseError as error:
        if (trouble := _server_trouble(str(error))) is None:
            raise
        raise TemporaryError(f"the Redis server {trouble}: {error}") from error


def _server_trouble(answer: str) -> str | None:
    """Return what is wrong with a server that answers so, or None."""
    troubles = {
        "OOM": "is out of memory",
        "MISCONF": "cannot write to its disk",
        "READONLY": "is a read-only replica",
        "BUSY": "is busy with a script",
        "LOADING": "is still reading its data",
        "NOREPLICAS": "has too few replicas",
        "MASTERDOWN": "has lost its master",
        "CLUSTERDOWN": "is a cluster that is down",
        "NOAUTH": "wants a password",
    }
    text = answer.removeprefix("-")
    for code, trouble in troubles.items():
        # A script's failed call keeps the code, in front or further in, as versions differ.
        if text.startswith((f"{code} ", f"{code}:")) or f" -{code} " in text:
            return trouble
    return "is out of memory" if "maxmemory" in text else None


@contextmanager
def _named_server(url: str) -> Iterator[None]:
    """Add to a connection error which server it was, without the password."""
    from redis import exceptions  # noqa: PLC0415 - slow to import

    try:
        yield
    except exceptions.AuthenticationError:
        raise
    except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
        raise type(error)(f"{_without_login(url)}: {error}") from error


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _port(text: str | None) -> int:
    if not text:
        return _DEFAULT_PORT
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"REDIS_PORT is {text!r}, which is no port number")
    return int(text)
