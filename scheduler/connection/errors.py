"""What the errors of the Redis client mean to us."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TROUBLES = {
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
# The other side just went away, which may be mended by the next try.
_TLS_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Translate the errors of the Redis client into ours.

    An answer that can only come from a mistake of our own stays what it is.
    """
    from redis import exceptions  # noqa: PLC0415 - slow to import

    try:
        yield
    except exceptions.NoPermissionError as error:
        raise CaurError(
            f"the Redis server does not let us do this: {error}",
            hint="Give the user of REDIS_URL or REDIS_USER the rights listed in docs/redis.md.",
        ) from error
    except exceptions.AuthenticationError as error:
        raise CaurError(
            f"the Redis server does not let us in: {error}",
            hint="Check user and password in REDIS_URL, or REDIS_USER and REDIS_PASSWORD.",
        ) from error
    except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
        raise _unreachable(error) from error
    except exceptions.ResponseError as error:
        if (trouble := _server_trouble(str(error))) is None:
            raise
        raise TemporaryError(f"the Redis server {trouble}: {error}") from error


@contextmanager
def named_server(name: Callable[[], str]) -> Iterator[None]:
    """Add to a connection error which server it was."""
    from redis import exceptions  # noqa: PLC0415 - slow to import

    try:
        yield
    except exceptions.AuthenticationError:
        raise
    except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
        raise type(error)(f"{name()}: {error}") from error


def tls_refusal(error: BaseException) -> ssl.SSLError | None:
    """Return why one side refused a TLS connection, if that was the cause."""
    trouble = _tls_trouble(error)
    return None if isinstance(trouble, _TLS_CUT) else trouble


def _tls_trouble(error: BaseException) -> ssl.SSLError | None:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _unreachable(error: Exception) -> CaurError:
    trouble = _tls_trouble(error)
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return CaurError(
            f"the certificate of the Redis server is not accepted: {error}",
            hint="Name the file with the CA that issued it in REDIS_CA_CERT, and use the host "
            "name that it was issued for.",
        )
    if trouble is None:
        return TemporaryError(
            f"the Redis server cannot be reached: {error}",
            hint="Check that it runs and that its address is right (--redis, REDIS_URL, "
            "REDIS_HOST), then try again.",
        )
    # A server that refuses us may hang up before we have read why.
    kind = TemporaryError if isinstance(trouble, _TLS_CUT) else CaurError
    return kind(
        f"no TLS connection to the Redis server comes about: {error}",
        hint="If it wants a client certificate, set REDIS_CLIENT_CERT and REDIS_CLIENT_KEY; if it "
        "speaks no TLS on this port, use redis:// instead of rediss://.",
    )


def _server_trouble(answer: str) -> str | None:
    """Return what is wrong with a server that answers so, or None."""
    text = answer.removeprefix("-")
    for code, trouble in _TROUBLES.items():
        # A script's failed call keeps the code, in front or further in, as versions differ.
        if text.startswith((f"{code} ", f"{code}:")) or f" -{code} " in text:
            return trouble
    return "is out of memory" if "maxmemory" in text else None
