"""The private key that ssh is given."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.ssh.host import SshHost


def check_key(host: SshHost) -> None:
    """Raise ConfigError for a key that cannot be used."""
    with private_key(host):
        pass


@contextmanager
def private_key(host: SshHost) -> Iterator[tuple[int, str]]:
    """Provide standard input for ssh, and the file to read the private key from.

    A key that is not in a file is handed over on standard input, which ssh has no other use for:
    it never touches a disk.

    Raises ConfigError.
    """
    text = key_text(host)
    if text is None:
        yield subprocess.DEVNULL, str(Path(host.key).expanduser()) if host.key else ""
        return
    descriptor = os.memfd_create("ssh-key", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)  # ssh insists
        with open(descriptor, "wb", closefd=False) as file:
            file.write(text)
        yield descriptor, "/proc/self/fd/0"
    finally:
        os.close(descriptor)


def key_text(host: SshHost) -> bytes | None:
    """Return the private key as ssh reads it; None where it is in a file, or there is none.

    Raises ConfigError.
    """
    key = host.key
    if "PRIVATE KEY-----" in key:
        # Variables of pipelines lose the last line end, and ssh does not read such a key.
        return key.replace("\r\n", "\n").strip().encode() + b"\n"
    if key and not os.access(Path(key).expanduser(), os.R_OK):
        raise ConfigError(
            f"{host.variable('KEY')} is neither a private key nor a file that can be read",
            hint="It holds the path of a private key, or the key itself with its first and "
            "last line.",
        )
    return None
