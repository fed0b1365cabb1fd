"""Which server the options and the environment name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from caur_ci.credentials import without_credentials
from caur_ci.errors import ConfigError
from scheduler.connection.tls import TlsFiles
from scheduler.ssh import SshHost

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

_SCHEMES = ("redis", "rediss", "unix")
_PARAMETERS = ("db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_ENCODE = (
    "In a password, everything but letters and digits has to be percent-encoded there (%2F for /, "
    "%23 for #); REDIS_PASSWORD takes it as it is."
)
# Of the machine at hand, or of the SSH host.
_DEFAULT_HOST = "127.0.0.1"
_DEFAULT_PORT = 6379


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server and the way to it. Behind a tunnel `url` is what the SSH host sees."""

    url: str = field(repr=False)
    tls: TlsFiles = field(default_factory=TlsFiles)
    tunnel: SshHost | None = None

    @property
    def name(self) -> str:
        """What people may read: where it is, without the login."""
        place = re.split("[?#]", without_credentials(self.url))[0]
        return f"{place} behind the SSH host {self.tunnel.host}" if self.tunnel else place


def server_of(
    url: str | None, environ: Mapping[str, str], secrets: Mapping[str, str]
) -> Server | None:
    """Return the server that `url` or else the environment names, or None if none is named.

    Raises ConfigError for settings that cannot be followed; nothing else is used in their place.
    """
    tls = TlsFiles.from_environment(environ)
    if named := url or secrets.get("REDIS_URL"):
        return server_at(named, tls)
    tunnel = SshHost.from_environment(environ, secrets)
    host, port = environ.get("REDIS_HOST"), environ.get("REDIS_PORT")
    user, password = environ.get("REDIS_USER", ""), secrets.get("REDIS_PASSWORD", "")
    if not (host or port or user or password or tls or tunnel):
        return None
    if user and not password:
        raise ConfigError("REDIS_USER is set, but REDIS_PASSWORD is not")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if password else ""
    host = host or _DEFAULT_HOST
    place = f"{f'[{host}]' if ':' in host else host}:{_port(port)}"
    scheme = "rediss" if tls else "redis"
    return _checked(Server(url=f"{scheme}://{login}{place}", tls=tls, tunnel=tunnel))


def server_at(url: str, tls: TlsFiles | None = None) -> Server:
    """Return the server at `url`; `tls` is used where the URL names no files.

    Raises ConfigError.
    """
    parts, query = _split(url)
    if parts.scheme not in _SCHEMES:
        raise ConfigError(
            f"{without_credentials(url)} is not the address of a Redis server",
            hint="It looks like redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… for TLS, or "
            "unix:///PATH.",
        )
    for name in query:
        if name not in _PARAMETERS:
            raise ConfigError(
                f"{name} cannot be set in the address of the Redis server",
                hint=f"What can be set there is {', '.join(_PARAMETERS)}. The certificate of the "
                "server is always verified.",
            )
    database = query.get("db") or ("" if parts.scheme == "unix" else parts.path.strip("/"))
    if database and not database.isdecimal():
        raise ConfigError(f"{database!r} in the address of the Redis server is no database number")
    files = TlsFiles.from_query(query)
    if tls is not None and parts.scheme != "unix":
        files = files.or_else(tls)
    return _checked(Server(url=url, tls=files))


def default_state_dir() -> Path:
    """Return CAUR_STATE_DIR, else `caur-ci` in the user's XDG state folder.

    Raises ConfigError for a user without a home.
    """
    if own := os.environ.get("CAUR_STATE_DIR"):
        return Path(own)
    if state_home := os.environ.get("XDG_STATE_HOME"):
        return Path(state_home) / "caur-ci"
    try:
        return Path.home() / ".local" / "state" / "caur-ci"
    except RuntimeError as error:
        raise ConfigError(
            "there is no folder to keep anything in: this user has no home folder",
            hint="Set CAUR_STATE_DIR to a folder that it may write to, or set HOME.",
        ) from error


def _split(url: str) -> tuple[SplitResult, dict[str, str]]:
    """Split an address. Raises ConfigError, which shows no part of what may be a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError:
        raise ConfigError("the address of the Redis server cannot be read", hint=_ENCODE) from None
    if _ends_early(url, parts):
        raise ConfigError(
            "the password in the address of the Redis server ends before its @", hint=_ENCODE
        )
    return parts, dict(parse_qsl(parts.query, keep_blank_values=True))


def _ends_early(url: str, parts: SplitResult) -> bool:
    """Tell whether what looks like host and path may be the two halves of a password.

    The path of a socket may hold an @, a host's database number may not.
    """
    if any(char.isspace() for char in url.rpartition("@")[0]):
        return True  # urlsplit leaves some of them out
    behind = f"{parts.path}?{parts.query}#{parts.fragment}"
    if parts.scheme == "unix":
        return bool(parts.netloc) and "@" not in parts.netloc and "@" in behind
    return "@" in behind


def _checked(server: Server) -> Server:
    """Refuse to leave TLS out silently where files for it are given."""
    if server.tls and server.tunnel:
        raise ConfigError(
            "TLS through an SSH tunnel is not supported: the tunnel encrypts already",
            hint="Unset REDIS_CA_CERT, REDIS_CLIENT_CERT and REDIS_CLIENT_KEY, or REDIS_SSH_HOST.",
        )
    if server.tls and urlsplit(server.url).scheme != "rediss":
        raise ConfigError(
            f"TLS certificates are given for {server.name}, which is an address without TLS",
            hint="Use rediss://, or unset REDIS_CA_CERT, REDIS_CLIENT_CERT and REDIS_CLIENT_KEY.",
        )
    return server


def _port(text: str | None) -> int:
    if not text:
        return _DEFAULT_PORT
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"REDIS_PORT is {text!r}, which is no port number")
    return int(text)
