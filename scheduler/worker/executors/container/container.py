"""One container while it runs, and what it has used."""

from __future__ import annotations

import os
import select
import subprocess
import time
from contextlib import suppress
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from scheduler.job import Usage
from scheduler.worker.executors.container.cgroup import ControlGroup
from scheduler.worker.executors.protocol import GuestError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scheduler.worker.executors.container.engine import Engine
    from scheduler.worker.executors.protocol import Watch

_STARTED_WITHIN = 120.0
_ANSWERED_WITHIN = 20.0
_REMOVED_WITHIN = 10.0
_ASKED_EVERY = 0.2
# How often init.sh kills before it gives up.
_ROUNDS = 500


class Container:
    """A container that lives for as long as we hold its standard input, which is that of init.sh.

    The kernel closes it when we die, however that happens.
    """

    def __init__(
        self, engine: Engine, name: str, arguments: Sequence[str], *, folder: Path, watch: Watch
    ) -> None:
        """Start a container and wait for it. Raises GuestError and StoppedError."""
        self.name = name
        self._engine = engine
        self._folder = folder
        self._unread = b""
        self._process = engine.start(
            ["run", "--rm", "--interactive", "--name", name, *arguments], cwd=folder
        )
        try:
            self._await_start(watch)
            self._group = ControlGroup.of_process(engine.pid_of(name))
        except BaseException:
            self.remove()
            raise

    def start(
        self, command: Sequence[str], *, user: str, directory: PurePosixPath
    ) -> subprocess.Popen[bytes]:
        """Start a command in the container."""
        options = ["--user", user, "--workdir", str(directory)]
        process = self._engine.start(["exec", *options, self.name, *command], cwd=self._folder)
        _pipe(process.stdin).close()
        return process

    def run(self, command: Sequence[str], *, user: str) -> None:
        """Run a command of ours, whose output and end do not matter."""
        with self.start(command, user=user, directory=PurePosixPath("/")) as process:
            _pipe(process.stdout).read()

    def end_processes(self, *, at_once: bool) -> bool:
        """End all processes but the first; tell whether there were any.

        Raises GuestError when the container does not answer, or some do not end.
        """
        rounds = int(self._ask("kill" if at_once else "end"))
        if rounds >= _ROUNDS:
            raise GuestError("processes in the build container do not end")
        return rounds > 0

    def holds_memory(self, limit: int) -> bool:
        """Tell whether the container can have no more than `limit` bytes of memory."""
        return self._group.holds_memory(limit)

    def usage(self) -> Usage:
        """Return what was used so far in this container."""
        return Usage(peak_memory=self._group.peak_memory(), cpu_seconds=self._group.cpu_seconds())

    def oom_kills(self) -> int:
        """Return how many processes in it the kernel has ended for want of memory."""
        return self._group.oom_kills()

    def remove(self) -> None:
        """Remove the container with all that runs in it."""
        with suppress(OSError):
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(_REMOVED_WITHIN)
        except subprocess.TimeoutExpired:
            self._engine.remove(self.name)
            self._process.kill()
            self._process.wait()
        _pipe(self._process.stdout).close()

    def _await_start(self, watch: Watch) -> None:
        deadline = time.monotonic() + _STARTED_WITHIN
        said: list[str] = []
        while time.monotonic() < deadline:
            stop = watch.why_stop(Usage())
            if stop is not None:
                raise StoppedError(stop)
            try:
                line = self._line(_ASKED_EVERY)
            except EOFError:
                break
            if line == "ready":
                return
            said += [line] if line else []
        reason = "; ".join(said[-3:]) or "it says nothing"
        raise GuestError(f"the build container cannot be started: {reason}")

    def _ask(self, command: str) -> str:
        deadline = time.monotonic() + _ANSWERED_WITHIN
        try:
            stream = _pipe(self._process.stdin)
            stream.write(f"{command}\n".encode())
            stream.flush()
            while (left := deadline - time.monotonic()) > 0:
                line = self._line(left)
                if line is not None and line.startswith("done "):
                    return line.removeprefix("done ")
        except (OSError, EOFError, ValueError) as error:
            raise GuestError("the build container has ended unexpectedly") from error
        raise GuestError("the build container does not answer")

    def _line(self, within: float) -> str | None:
        """Return the next line that init.sh or the engine prints, None when there is none yet."""
        source = _pipe(self._process.stdout).fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([source], [], [], within)
            if not ready:
                return None
            data = os.read(source, 4096)
            if not data:
                raise EOFError
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode(errors="replace").strip()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - all of an engine's streams are pipes
    return stream
