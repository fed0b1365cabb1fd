"""The real `caur-ci` commands as child processes, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import ProcessError
from scheduler.ssh import tied

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ENDED_WITHIN = 15.0
_CALL_TIMEOUT = 120.0
_SHOWN_LINES = 15


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Services:
    """Child processes that all end with this one, however that ends.

    Each has a session of its own: what a terminal sends on Ctrl-C reaches this process only, which
    ends them in order. If it is killed, services get a SIGTERM. What they print goes to a file in
    `logs`.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs
        self._running: list[_Child] = []

    def start(self, name: str, *arguments: str, variables: Mapping[str, str] | None = None) -> None:
        """Start `caur-ci ARGUMENTS` as a service; `name` is for its log and for messages."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = self._popen(arguments, output.fileno(), output.fileno(), variables, None)
        self._running.append(_Child(name, process, log))

    def call(self, name: str, *arguments: str, cwd: Path, document: Path | None = None) -> None:
        """Run `caur-ci ARGUMENTS` to its end. Raises ProcessError when that is an error.

        What it prints for programs goes to the file `document`, where one is named.
        """
        log = self._logs / f"{name}.log"
        with log.open("ab") as output, (document or log).open("ab") as printed:
            process = self._popen(arguments, printed.fileno(), output.fileno(), None, cwd)
        child = _Child(name, process, log)
        self._running.append(child)
        try:
            code = process.wait(_CALL_TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise ProcessError(f"`caur-ci {arguments[0]}` does not come to an end") from error
        self._running.remove(child)
        if code != 0:
            raise _failure(child, code)

    def check(self) -> None:
        """Raise ProcessError when a service has ended."""
        for child in self._running:
            code = child.process.poll()
            if code is not None:
                raise _failure(child, code)

    def stop(self) -> list[str]:
        """End everything and return the names of those that had to be killed."""
        for child in self._running:
            if child.process.poll() is None:
                child.process.terminate()
        killed = []
        deadline = time.monotonic() + _ENDED_WITHIN
        for child in self._running:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
                killed.append(child.name)
        self._running.clear()
        return killed

    def _popen(
        self,
        arguments: tuple[str, ...],
        stdout: int,
        stderr: int,
        variables: Mapping[str, str] | None,
        cwd: Path | None,
    ) -> subprocess.Popen[bytes]:
        # -P: the folder it runs in is full of other people's files.
        python = [sys.executable, "-P"]
        tied_to_us = [sys.executable, "-I", "-S", tied.__file__, str(os.getpid())]
        return subprocess.Popen(
            [*tied_to_us, *python, "-m", "caur_ci", *arguments],
            cwd=cwd or self._logs,
            env={**self._environment, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )


def _failure(child: _Child, code: int) -> ProcessError:
    text = child.log.read_text(encoding="utf-8", errors="replace").rstrip()
    tail = "".join(f"\n  {line}" for line in text.splitlines()[-_SHOWN_LINES:])
    reason = f"signal {-code}" if code < 0 else f"exit code {code}"
    return ProcessError(
        f"{child.name} ended with {reason}{tail}",
        hint=f"All that it printed is in {child.log}.",
        returncode=code,
    )
