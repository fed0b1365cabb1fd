"""The one place that runs system tools and waits for them."""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

_SHOWN_OUTPUT_LINES = 20
_CHUNK = 64 * 1024


class OutputTooLargeError(ProcessError):
    """A tool printed more than it may, and was ended."""


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    allowed: Collection[int] = (0,),
    with_children: bool = False,
    largest_file: int | None = None,
    largest_output: int | None = None,
    inherited: Collection[int] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Run `command` without a shell and return what it printed.

    `environment` is added to the scrubbed environment of this process, `timeout` is in seconds,
    `allowed` are the exit codes that are no error. With `with_children`, the command has a session
    of its own, without a terminal, and when its time is up its children are ended with it.
    `largest_file` is how many bytes a file may have that it writes, `largest_output` how many it
    may print. `inherited` are descriptors that it gets besides the usual three.

    Raises ProcessError when the tool is missing, takes too long or ends with another code,
    OutputTooLargeError when it prints too much.
    """
    arguments = [str(part) for part in command]
    try:
        with subprocess.Popen(
            arguments,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment(environment),
            start_new_session=with_children,
            pass_fds=tuple(inherited),
        ) as child:
            bounded = None if largest_output is None else _BoundedOutput(child, largest_output)
            done = _wait(child, stdin, timeout, largest_file, with_children=with_children)
            if bounded is not None:
                done.stdout = bounded.content()
    except FileNotFoundError as error:
        if cwd is not None and not cwd.is_dir():
            raise ProcessError(f"{arguments[0]}: the folder {cwd} does not exist") from error
        raise missing_tool(arguments[0]) from error
    except PermissionError as error:
        raise ProcessError(f"{arguments[0]} may not be executed: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ProcessError(
            f"{describe(arguments)} took longer than {timeout:g} s and was ended",
            stdout=error.stdout or b"",
            stderr=error.stderr or b"",
        ) from error
    if bounded is not None and bounded.is_too_large:
        raise OutputTooLargeError(f"{describe(arguments)} printed more than {largest_output} bytes")
    if done.returncode not in allowed:
        raise ProcessError(
            f"{describe(arguments)} ended with {_exit_reason(done.returncode)}"
            f"{_tail(done.stderr or done.stdout)}",
            returncode=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
        )
    return done


class _BoundedOutput:
    """What a child prints, read beside its other streams; it is ended when that is too much."""

    def __init__(self, child: subprocess.Popen[bytes], limit: int) -> None:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        self.is_too_large = False
        self._child, self._stream, self._limit = child, child.stdout, limit
        self._read = bytearray()
        child.stdout = None  # so that nobody else reads it
        self._thread = threading.Thread(target=self._read_all, daemon=True)
        self._thread.start()

    def content(self) -> bytes:
        self._thread.join()
        return bytes(self._read)

    def _read_all(self) -> None:
        with self._stream:
            while chunk := self._stream.read(_CHUNK):
                self._read += chunk
                if len(self._read) > self._limit:
                    self.is_too_large = True
                    self._child.kill()
                    return


def _wait(
    child: subprocess.Popen[bytes],
    stdin: bytes,
    timeout: float | None,
    largest_file: int | None,
    *,
    with_children: bool,
) -> subprocess.CompletedProcess[bytes]:
    try:
        if largest_file is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended already
                resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (largest_file, largest_file))
        stdout, stderr = child.communicate(stdin, timeout=timeout)
    except BaseException:
        child.kill()
        if with_children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        raise
    return subprocess.CompletedProcess(child.args, child.returncode, stdout, stderr)


def missing_tool(name: str) -> ProcessError:
    """Return the error for a system tool that is not installed."""
    return ProcessError(
        f"the program {name} was not found",
        hint=f"Install {name}, or add its folder to PATH.",
    )


def describe(arguments: Sequence[str]) -> str:
    """Return `arguments` as one line for people, quoted as a shell would and cut where long."""
    line = shlex.join(arguments)
    return line if len(line) <= 200 else f"{line[:197]}..."


def _exit_reason(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"


def _tail(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return "".join(f"\n  {line}" for line in lines[-_SHOWN_OUTPUT_LINES:])
