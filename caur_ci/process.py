"""The one place that runs system tools and waits for them."""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

_SHOWN_OUTPUT_LINES = 20


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
) -> subprocess.CompletedProcess[bytes]:
    """Run `command` without a shell and return what it printed.

    `environment` is added to the scrubbed environment of this process, `timeout` is in seconds,
    `allowed` are the exit codes that are no error. With `with_children`, the command has a session
    of its own, without a terminal, and when its time is up its children are ended with it.
    `largest_file` is how many bytes a file may have that it writes.

    Raises ProcessError when the tool is missing, takes too long or ends with another code.
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
        ) as child:
            done = _wait(child, stdin, timeout, largest_file, with_children=with_children)
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
    if done.returncode not in allowed:
        raise ProcessError(
            f"{describe(arguments)} ended with {_exit_reason(done.returncode)}"
            f"{_tail(done.stderr or done.stdout)}",
            returncode=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
        )
    return done


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
