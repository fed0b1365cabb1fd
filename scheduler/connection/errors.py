"""What the errors of the Redis client mean to us."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from caur_ci.errors import CaurError, ConfigError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

# What may pass, by the class that the client makes of it.
_PASSING_CLASSES = {
    "BusyLoadingError": "is still reading its data",
    "OutOfMemoryError": "is out of memory",
    "ReadOnlyError": "is a read-only replica",
    "MasterDownError": "has lost its master",
    "ClusterDownError": "is a cluster that is down",
    "TryAgainError": "is moving its data",
}
# Of codes that the client has no class for, or of a script's failed call, in older servers.
_PASSING_CODES = {
    "OOM": "is out of memory",
    "MISCONF": "cannot write to its disk",
    "READONLY": "is a read-only replica",
    "BUSY": "is busy with a script",
    "UNKILLABLE": "is busy with a script",
    "UNBLOCKED": "has just become a replica",
    "LOADING": "is still reading its data",
    "NOREPLICAS": "has too few replicas",
    "MASTERDOWN": "has lost its master",
    "CLUSTERDOWN": "is a cluster that is down",
}
_RIGHTS = "Give the user of REDIS_URL or REDIS_USER the rights listed in docs/redis.md."
_LOGIN = "Check user and password in REDIS_URL, or REDIS_USER and REDIS_PASSWORD."
_CLUSTER = (
    "is a node of a cluster that has other data",
    "Everything of ours is in one slot: name its node, or use a server that is no cluster.",
)
_NO_DATABASE = (
    "has no database of that number",
    "Use a lower number at the end of the address, redis://HOST/0; most hosts have 0 only.",
)
# What stays as it is until somebody does something about it: what it means, and the remedy.
_LASTING_CLASSES = {
    "NoPermissionError": ("does not let us do this", _RIGHTS),
    "AuthenticationError": ("does not let us in", _LOGIN),
    "AuthorizationError": ("does not let us in", _LOGIN),
    "AuthenticationWrongNumberOfArgsError": ("does not let us in", _LOGIN),
    "MovedError": _CLUSTER,
    "AskError": _CLUSTER,
    "InvalidResponse": ("does not speak as one", "Check host and port of its address."),
}
_LASTING_SIGNS = {
    "DENIED": (
        "is in protected mode and takes no connections from other machines",
        "Give it a password or users, or set protected-mode to no where nobody else reaches it.",
    ),
    "unknown command": (
        "does not know a command, or its host has disabled it",
        "docs/redis.md lists what is needed; some hosts allow single commands again.",
    ),
    "DB index is out of range": _NO_DATABASE,
    "invalid DB index": _NO_DATABASE,
    "SELECT is not allowed in cluster mode": _NO_DATABASE,
}
# The other side just went away, which may be mended by the next try.
_TLS_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class NoServerError(ConfigError):
    """No server is named, and none of this machine's own was ever used."""


@contextmanager
def redis_errors() -> Iterator[None]:
    """Translate the errors of the Redis client into ours.

    An answer that can only come from a mistake of our own stays what it is.
    """
    from redis import exceptions  # noqa: PLC0415 - slow to import

    try:
        yield
    except (exceptions.RedisError, exceptions.RedisClusterException) as error:
        if (translated := _translated(error)) is None:
            raise
        raise translated from error


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


def _translated(error: Exception) -> CaurError | None:
    """Return what an error of the client means, None for a mistake of our own.

    The class decides: the client takes the server's codes off some messages.
    """
    from redis import exceptions  # noqa: PLC0415 - slow to import

    if (passing := _passing_trouble(error)) is not None:
        return TemporaryError(f"the Redis server {passing}: {error}")
    if (lasting := _lasting_trouble(error)) is not None:
        trouble, hint = lasting
        return CaurError(f"the Redis server {trouble}: {error}", hint=hint)
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError):
        return _unreachable(error)
    return None


def _passing_trouble(error: Exception) -> str | None:
    """Return what is wrong with a server that may be well again soon, or None."""
    if trouble := _by_class(error, _PASSING_CLASSES):
        return trouble
    text = str(error).removeprefix("-")
    for code, trouble in _PASSING_CODES.items():
        # A script's failed call keeps the code, in front or further in, as versions differ.
        if text.startswith((f"{code} ", f"{code}:")) or f" -{code} " in text:
            return trouble
    if "max number of clients reached" in text:
        return "has too many clients"
    return "is out of memory" if "maxmemory" in text else None


def _lasting_trouble(error: Exception) -> tuple[str, str] | None:
    """Return what is wrong until somebody mends it and how to, or None."""
    text = str(error)
    signs = (found for sign, found in _LASTING_SIGNS.items() if sign in text)
    return next(signs, None) or _by_class(error, _LASTING_CLASSES)


def _by_class(error: Exception, table: Mapping[str, T]) -> T | None:
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((table[name] for name in names if name in table), None)
