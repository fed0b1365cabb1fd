"""What the environment says about an SSH host."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
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
class SshHost:
    """How an SSH host is reached. What is not given is ssh's own affair (`~/.ssh/config`).

    `key` is a private key or the path of one. The host key has one of the `fingerprints`, or is in
    the file `known_hosts`, or in those of ssh. The variables that say all this begin with `prefix`.
    """

    host: str
    port: int | None = None
    user: str = ""
    key: str = field(default="", repr=False)
    fingerprints: tuple[str, ...] = ()
    known_hosts: Path | None = None
    timeout: float = DEFAULT_TIMEOUT
    prefix: str = "REDIS_SSH"

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], secrets: Mapping[str, str], *, prefix: str = "REDIS_SSH"
    ) -> SshHost | None:
        """Read the variables that begin with `prefix`; None without a host. Raises ConfigError."""
        reader = _Reader(environ, prefix)
        host = reader.matching(_HOST, "HOST", "host name")
        if not host:
            return None
        known_hosts = reader.text("KNOWN_HOSTS")
        return cls(
            host=host,
            port=reader.port(),
            user=reader.matching(_USER, "USER", "user name"),
            key=secrets.get(f"{prefix}_KEY", "") or reader.text("KEY"),
            fingerprints=reader.fingerprints(),
            known_hosts=Path(known_hosts).expanduser().absolute() if known_hosts else None,
            timeout=reader.seconds(),
            prefix=prefix,
        )

    def variable(self, rest: str) -> str:
        """Return the name of the variable that ends with `rest`."""
        return f"{self.prefix}_{rest}"


@dataclass(frozen=True, slots=True)
class _Reader:
    environ: Mapping[str, str]
    prefix: str

    def text(self, rest: str) -> str:
        return self.environ.get(f"{self.prefix}_{rest}", "")

    def matching(self, pattern: re.Pattern[str], rest: str, what: str) -> str:
        value = self.text(rest)
        if value and not pattern.fullmatch(value):
            raise ConfigError(f"{self.prefix}_{rest} is {value!r}, which is no {what}")
        return value

    def port(self) -> int | None:
        text = self.text("PORT")
        if text and (not text.isdecimal() or not 0 < int(text) < 65536):
            raise ConfigError(f"{self.prefix}_PORT is {text!r}, which is no port number")
        return int(text) if text else None

    def fingerprints(self) -> tuple[str, ...]:
        found = self.text("HOST_FINGERPRINT").replace(",", " ").split()
        for fingerprint in found:
            if not _FINGERPRINT.fullmatch(fingerprint):
                raise ConfigError(
                    f"{self.prefix}_HOST_FINGERPRINT holds {fingerprint!r}, which is no "
                    "fingerprint",
                    hint="It looks like SHA256:… with 43 letters and digits. On the server: "
                    "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
                )
        return tuple(fingerprint.rstrip("=") for fingerprint in found)

    def seconds(self) -> float:
        text = self.text("TIMEOUT")
        if not text:
            return DEFAULT_TIMEOUT
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0
        if not 0 < seconds <= 3600:
            raise ConfigError(f"{self.prefix}_TIMEOUT is {text!r}; give seconds, at most 3600")
        return seconds
