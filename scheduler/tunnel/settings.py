"""What the environment says about the SSH host that Redis is behind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TIMEOUT = 30.0

# Neither may be taken for an option by ssh, nor hold one of its placeholders.
_HOST = re.compile(r"[A-Za-z0-9:_][A-Za-z0-9._:-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]*")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelSettings:
    """How the SSH host is reached. What is not given is ssh's own affair (`~/.ssh/config`).

    `key` is a private key or the path of one, `fingerprints` are those that the host key may have;
    without any it has to be in a known_hosts file.
    """

    host: str
    port: int | None = None
    user: str = ""
    key: str = field(default="", repr=False)
    fingerprints: tuple[str, ...] = ()
    timeout: float = DEFAULT_TIMEOUT

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], secrets: Mapping[str, str]
    ) -> TunnelSettings | None:
        """Read the REDIS_SSH_ variables; None without REDIS_SSH_HOST. Raises ConfigError."""
        host = environ.get("REDIS_SSH_HOST")
        if not host:
            return None
        port = environ.get("REDIS_SSH_PORT")
        return cls(
            host=_matching(_HOST, "REDIS_SSH_HOST", host, "host name"),
            port=_port(port) if port else None,
            user=_matching(_USER, "REDIS_SSH_USER", environ.get("REDIS_SSH_USER"), "user name"),
            key=secrets.get("REDIS_SSH_KEY", ""),
            fingerprints=_fingerprints(environ.get("REDIS_SSH_HOST_FINGERPRINT", "")),
            timeout=_seconds(environ.get("REDIS_SSH_TIMEOUT")),
        )


def _matching(pattern: re.Pattern[str], name: str, value: str | None, what: str) -> str:
    if value and not pattern.fullmatch(value):
        raise ConfigError(f"{name} is {value!r}, which is no {what}")
    return value or ""


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"REDIS_SSH_PORT is {text!r}, which is no port number")
    return int(text)


def _fingerprints(text: str) -> tuple[str, ...]:
    found = text.replace(",", " ").split()
    for fingerprint in found:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ConfigError(
                f"REDIS_SSH_HOST_FINGERPRINT holds {fingerprint!r}, which is no fingerprint",
                hint="It looks like SHA256:… with 43 letters and digits. On the server: "
                "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
            )
    return tuple(fingerprint.rstrip("=") for fingerprint in found)


def _seconds(text: str | None) -> float:
    if not text:
        return DEFAULT_TIMEOUT
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 3600:
        raise ConfigError(f"REDIS_SSH_TIMEOUT is {text!r}; give seconds, at most 3600")
    return seconds
