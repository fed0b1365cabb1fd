"""A private Redis server that is killed and comes back from its append-only file."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from caur_ci.environment import child_environment
from scheduler.embedded import find_server
from tests.chaos.settings import ROOT

# The append-only file is small enough to be rewritten while the run lasts.
_CONFIG = """\
port 0
unixsocket {folder}/redis.sock
dir {folder}
databases 1
save ""
appendonly yes
appendfsync always
auto-aof-rewrite-min-size 1mb
maxmemory-policy noeviction
logfile server.log
"""
_START_TIMEOUT = 60.0


class Server:
    """A server on a unix socket, from `with` to its end. Not started by itself."""

    def __init__(self) -> None:
        # Not in the folder of a test: a socket's address has to be short.
        self._folder = tempfile.TemporaryDirectory(prefix="caur-chaos-")
        self.folder = Path(self._folder.name)
        self.socket = self.folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Redis(
            unix_socket_path=str(self.socket), socket_timeout=20, retry=Retry(NoBackoff(), 0)
        )

    def start(self) -> None:
        """Start the server, on the data that it has."""
        config = self.folder / "server.conf"
        config.write_text(_CONFIG.format(folder=self.folder), encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.leash", str(find_server()), str(config)],
            cwd=ROOT,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def is_up(self) -> bool:
        """Tell whether the server answers, its data read."""
        try:
            return bool(self.client.ping())
        except (exceptions.ConnectionError, exceptions.TimeoutError):
            return False

    def wait_until_up(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + _START_TIMEOUT
        while not self.is_up():
            if time.monotonic() > deadline:
                log = self.folder / "server.log"
                raise RuntimeError(f"Redis does not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.client.close()
        self._folder.cleanup()
