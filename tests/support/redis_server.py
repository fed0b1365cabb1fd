"""Redis servers with settings of their own, for tests that need more than the embedded one."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from tests.support.queue import eventually
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TRIES = 5


def free_port() -> int:
    """Return a port of loopback that nobody uses; somebody may be faster."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class RedisServer:
    """A server on a loopback port. Every line of `settings` may hold `{port}`.

    Without a `program` it is whatever is installed.
    """

    folder: Path
    settings: tuple[str, ...] = ("port {port}",)
    port: int = 0
    program: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, at the port that it had before."""
        for _ in range(_TRIES):
            port = self.port or free_port()
            if self._start(port):
                self.port = port
                return
            if "Address already in use" not in self.log:
                break
        pytest.fail(f"the server does not start:\n{self.log}")

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def _start(self, port: int) -> bool:
        self.folder.mkdir(exist_ok=True)
        lines = ("bind 127.0.0.1 127.0.0.2", f"dir {self.folder}", "daemonize no", *self.settings)
        config = self.folder / "server.conf"
        config.write_text("\n".join(lines).replace("{port}", str(port)) + "\n")
        program = self.program or shutil.which("valkey-server") or shutil.which("redis-server")
        assert program is not None
        with (self.folder / "server.log").open("wb") as log:
            self.process = process = subprocess.Popen(
                [program, config], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        eventually(lambda: process.poll() is not None or listens(port))
        return process.poll() is None


@contextmanager
def redis_server(folder: Path, *settings: str) -> Iterator[RedisServer]:
    """Run a server that keeps its things in `folder` until the block ends."""
    need_tools("valkey-server|redis-server")
    server = RedisServer(folder, settings or ("port {port}",))
    server.start()
    try:
        yield server
    finally:
        server.kill()


def listens(port: int) -> bool:
    """Tell whether something listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@cache
def has_functions() -> bool:
    """Tell whether the server that is installed has functions."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    assert program is not None
    version = run([program, "--version"]).stdout.decode()
    found = re.search(r"v=(\d+)", version)
    assert found is not None
    return int(found[1]) >= 7
