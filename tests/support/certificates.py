"""Certificates made on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.process import run

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1
"""


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, both PEM files."""

    file: Path
    key: Path


def make_ca(folder: Path, name: str) -> Certificate:
    """Make a certificate authority that nobody knows yet."""
    return _make(folder, name, "ca")


def make_certificate(ca: Certificate, folder: Path, name: str) -> Certificate:
    """Make a certificate for localhost, and for clients."""
    return _make(folder, name, "leaf", "-CA", str(ca.file), "-CAkey", str(ca.key))


def _make(folder: Path, name: str, section: str, *issuer: str) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    config = folder / f"{name}.conf"
    config.write_text(_CONFIG.format(name=name))
    request = ["openssl", "req", "-x509", "-new", "-nodes", "-days", "2", "-config", str(config)]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", str(made.key)]
    run([*request, *key, "-extensions", section, *issuer, "-out", made.file])
    return made
