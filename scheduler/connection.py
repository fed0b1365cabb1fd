"""How a Redis server is found and reached, and what its errors mean to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from redis import Redis

from contextlib import contextmanager


def connect(
    url: str | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    state_dir: Path | None = None,
) -> Redis:
    """Return a client of the server that the options and the environment name.

    In this order: `url`; REDIS_URL; REDIS_HOST, REDIS_PORT and REDIS_PASSWORD; the embedded
    server of `state_dir` (default: `default_state_dir()`), which is started where it is not running.
    REDIS_URL and REDIS_PASSWORD are taken from `secrets`. The server has answered when this
    returns.

    Raises TemporaryError when it cannot be reached, ConfigError when the settings make no sense.
    """
    raise NotImplementedError


def default_state_dir() -> Path:
    """Return CAUR_STATE_DIR, else `caur-ci` in the user's XDG state folder."""
    raise NotImplementedError


@contextmanager
def redis_errors() -> Iterator[None]:
    """Translate the errors of the Redis client into ours."""
    yield
