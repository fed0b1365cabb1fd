"""One run of ssh."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.errors import CaurError, ConfigError, TemporaryError
from scheduler.tunnel import tied
from scheduler.tunnel.command import ssh_command, ssh_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.tunnel.settings import TunnelSettings

_POLL_INTERVAL = 0.02
_END_TIMEOUT = 3.0
_KEPT_LINES = 20


class SshProcess:
    """An ssh that makes `destination` reachable at `socket`.

    It has a session of its own, so that a Ctrl-C for us leaves it alone, and ends with us however
    we end. Not run by `caur_ci.process.run` because it goes on for long.
    """

    def __init__(
        self, settings: TunnelSettings, *, socket: Path, destination: str, known_hosts: Path | None
    ) -> None:
        self._settings = settings
        self._socket = socket
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._is_late = False
        socket.unlink(missing_ok=True)
        with _private_key(settings.key) as (stdin, key_file):
            ssh = ssh_command(
                settings,
                socket=socket,
                destination=destination,
                key_file=key_file,
                known_hosts=known_hosts,
            )
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", tied.__file__, str(os.getpid()), *ssh],
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=child_environment(),
                start_new_session=True,
            )
        self._listener = threading.Thread(target=self._listen, name="ssh-words", daemon=True)
        self._listener.start()

    @property
    def said(self) -> list[str]:
        """The last lines of what it wrote."""
        return list(self._said)

    def wait_until_up(self, deadline: float) -> bool:
        """Tell whether it is up; False if it ended, or is not up at `deadline`."""
        while self._process.poll() is None:
            # ssh makes the socket once it is let in.
            if self._socket.is_socket():
                return True
            if time.monotonic() > deadline:
                self._is_late = True
                return False
            time.sleep(_POLL_INTERVAL)
        return False

    def wait(self) -> None:
        """Wait for it to end."""
        self._process.wait()
        self._listener.join(_END_TIMEOUT)

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(_END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.wait()

    def error(self) -> CaurError:
        """Return why it is not, or no longer, up."""
        if self._is_late:
            return TemporaryError(
                f"the SSH tunnel to {self._settings.host} was not open within "
                f"{self._settings.timeout:g} s" + "".join(f"\n  {line}" for line in self._said),
                hint="REDIS_SSH_TIMEOUT is the limit.",
            )
        return ssh_error(self._settings, self._said)

    def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - for mypy
        with self._process.stderr as words:
            for line in words:
                if text := line.decode(errors="replace").rstrip():
                    self._said.append(text)


def check_key(settings: TunnelSettings) -> None:
    """Raise ConfigError for a key that cannot be used."""
    with _private_key(settings.key):
        pass


@contextmanager
def _private_key(key: str) -> Iterator[tuple[int, str]]:
    """Provide standard input for ssh, and the file to read the private key from.

    A key that is not in a file is handed over on standard input, which ssh has no other use for:
    it never touches a disk.
    """
    if "PRIVATE KEY-----" not in key:
        if key and not os.access(Path(key).expanduser(), os.R_OK):
            raise ConfigError(
                "REDIS_SSH_KEY is neither a private key nor a file that can be read",
                hint="It holds the path of a private key, or the key itself with its first and "
                "last line.",
            )
        yield subprocess.DEVNULL, str(Path(key).expanduser()) if key else ""
        return
    descriptor = os.memfd_create("ssh-key", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)  # ssh insists
        with open(descriptor, "wb", closefd=False) as file:
            # Variables of pipelines lose the last line end, and ssh does not read such a key.
            file.write(key.replace("\r\n", "\n").strip().encode() + b"\n")
        yield descriptor, "/proc/self/fd/0"
    finally:
        os.close(descriptor)
