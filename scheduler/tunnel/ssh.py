"""One run of ssh."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.errors import CaurError, TemporaryError
from scheduler.ssh import tied
from scheduler.ssh.command import host_options, ssh_error
from scheduler.ssh.keys import private_key

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.ssh import SshHost

_OPTIONS = (
    "ExitOnForwardFailure=yes",
    "StreamLocalBindMask=0177",
    "StreamLocalBindUnlink=yes",
    "RequestTTY=no",
)
_POLL_INTERVAL = 0.02
_END_TIMEOUT = 3.0
_KEPT_LINES = 20


class SshProcess:
    """An ssh that makes `destination` reachable at `socket`.

    It has a session of its own, so that a Ctrl-C for us leaves it alone, and ends with us however
    we end. Not run by `caur_ci.process.run` because it goes on for long.
    """

    def __init__(
        self, settings: SshHost, *, socket: Path, destination: str, known_hosts: Path | None
    ) -> None:
        self._settings = settings
        self._socket = socket
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._is_late = False
        socket.unlink(missing_ok=True)
        with private_key(settings) as (stdin, key_file):
            options = host_options(settings, key_file=key_file, pinned=known_hosts)
            ssh = [
                "ssh",
                "-N",
                "-T",
                *(word for option in (*options, *_OPTIONS) for word in ("-o", option)),
                *(("-i", key_file) if key_file else ()),
                "-L",
                f"{socket}:{destination}",
                "--",
                settings.host,
            ]
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
                hint=f"{self._settings.variable('TIMEOUT')} is the limit.",
            )
        return ssh_error(
            self._settings,
            self._said,
            otherwise=f"the SSH tunnel to {self._settings.host} cannot be opened",
        )

    def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - for mypy
        with self._process.stderr as words:
            for line in words:
                if text := line.decode(errors="replace").rstrip():
                    self._said.append(text)
