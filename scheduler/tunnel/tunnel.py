"""A tunnel that is kept up for as long as the process lives."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError
from scheduler.ssh.command import need_programs
from scheduler.ssh.hostkeys import write_known_hosts
from scheduler.ssh.keys import check_key
from scheduler.tunnel.place import TunnelFolder
from scheduler.tunnel.ssh import SshProcess

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.ssh import SshHost

_log = logging.getLogger(__name__)

_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
# After a tunnel that lived this long the next one is opened soon again.
_GOOD_LIFE = 30.0


class Tunnel:
    """Makes `destination` (HOST:PORT as the SSH host sees it) reachable at the socket `socket`.

    It lies in a folder that only this user can enter. A thread opens the tunnel again whenever it
    breaks, until it is closed or the process ends, however it ends.
    """

    def __init__(self, settings: SshHost, destination: str) -> None:
        self._settings = settings
        self._destination = destination
        self._place = TunnelFolder.create()
        self.socket = self._place.folder / "redis.sock"
        self._known_hosts: Path | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._process: SshProcess | None = None
        self._thread: threading.Thread | None = None
        # Set when the tunnel is up, or when the first try has failed with this error.
        self._settled = threading.Event()
        self._error: CaurError | None = None
        atexit.register(self.close)

    def open(self) -> None:
        """Open the tunnel; it is up when this returns.

        Raises CaurError for a host that is not the right one or does not let us in, TemporaryError
        for one that is out of reach or takes longer than the time limit.
        """
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def last_words(self) -> list[str]:
        """Return the last lines that ssh wrote."""
        return self._process.said if self._process is not None else []

    def close(self) -> None:
        """Close the tunnel for good."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            process = self._process
        atexit.unregister(self.close)
        if process is not None:
            process.end()
        if self._thread is not None:
            self._thread.join()
        self._place.remove()

    def _open(self) -> None:
        deadline = time.monotonic() + self._settings.timeout
        need_programs(self._settings, purpose="an SSH tunnel to")
        check_key(self._settings)
        if self._settings.fingerprints:
            self._known_hosts = self._place.folder / "known_hosts"
            write_known_hosts(self._settings, self._known_hosts)
        # ssh ends with the thread that started it, so it must not be the caller's.
        self._thread = threading.Thread(
            target=self._keep_up, args=(deadline,), name="ssh-tunnel", daemon=True
        )
        self._thread.start()
        self._settled.wait()
        if self._error is not None:
            raise self._error

    def _keep_up(self, deadline: float) -> None:
        pause = _SHORTEST_PAUSE
        while not self._closing.is_set():
            started = time.monotonic()
            error = self._run(deadline)
            if not self._settled.is_set():
                self._error = error
                self._settled.set()
                return
            if time.monotonic() - started > _GOOD_LIFE:
                pause = _SHORTEST_PAUSE
            if not self._closing.is_set():
                _log.warning("%s\nThe tunnel is opened again.", error)
            self._closing.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            deadline = time.monotonic() + self._settings.timeout

    def _run(self, deadline: float) -> CaurError:
        """Run ssh until it ends, or is not up at `deadline`; return why."""
        try:
            process = self._start()
        except CaurError as error:
            return error
        except OSError as error:
            return TemporaryError(f"ssh cannot be started: {error}")
        if process.wait_until_up(deadline):
            self._settled.set()
            process.wait()
        else:
            process.end()
        return process.error()

    def _start(self) -> SshProcess:
        with self._lock:
            if self._closing.is_set():
                raise TemporaryError(f"the SSH tunnel to {self._settings.host} was closed")
            self._process = SshProcess(
                self._settings,
                socket=self.socket,
                destination=self._destination,
                known_hosts=self._known_hosts,
            )
            return self._process
