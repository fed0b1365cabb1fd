"""The files of a TLS connection: whom we believe, and how we show who we are."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caur_ci.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files. Without `ca` the system's CAs are believed."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> TlsFiles:
        """Read REDIS_CA_CERT, REDIS_CLIENT_CERT and REDIS_CLIENT_KEY."""
        return cls(
            ca=_path(environ.get("REDIS_CA_CERT")),
            certificate=_path(environ.get("REDIS_CLIENT_CERT")),
            key=_path(environ.get("REDIS_CLIENT_KEY")),
        )

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> TlsFiles:
        """Read what a URL says after its question mark, in the client library's own names."""
        return cls(
            ca=_path(query.get("ssl_ca_certs")),
            certificate=_path(query.get("ssl_certfile")),
            key=_path(query.get("ssl_keyfile")),
        )

    def or_else(self, other: TlsFiles) -> TlsFiles:
        """Return these files, and those of `other` where none is given."""
        return TlsFiles(
            ca=self.ca or other.ca,
            certificate=self.certificate or other.certificate,
            key=self.key or (None if self.certificate else other.key),
        )

    def __bool__(self) -> bool:
        return bool(self.ca or self.certificate or self.key)

    def options(self) -> dict[str, Any]:
        """Return the client's options. Raises ConfigError for files that cannot be used."""
        self._check()
        return {
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_ca_certs": _text(self.ca),
            "ssl_certfile": _text(self.certificate),
            "ssl_keyfile": _text(self.key),
        }

    def _check(self) -> None:
        """Try the files: what is wrong with them would look like a connection error later."""
        if self.key and not self.certificate:
            raise ConfigError("a key for the Redis server is given, but no client certificate")
        context = ssl.create_default_context()
        if self.ca is not None:
            with _usable("the CA certificate", self.ca):
                context.load_verify_locations(cafile=self.ca)
        if self.certificate is not None:
            with _usable("the client certificate or its key", self.key or self.certificate):
                context.load_cert_chain(self.certificate, self.key, password=_no_passphrase)


@contextmanager
def _usable(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        raise ConfigError(f"{what} in {path} cannot be used: {error.reason or error}") from error
    except OSError as error:
        raise ConfigError(f"{what} in {path} cannot be read: {error.strerror}") from error


def _no_passphrase() -> str:
    raise ConfigError(
        "the key of the client certificate is encrypted",
        hint="Decrypt it (openssl pkey -in KEY -out PLAIN-KEY); nobody is there to be asked.",
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None
