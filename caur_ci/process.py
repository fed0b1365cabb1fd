"""The one place that runs system tools and waits for them."""

from __future__ import annotations

import shlex
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
) -> subprocess.CompletedProcess[bytes]:
    """Run `command` without a shell and return what it printed.

    `environment` is added to the scrubbed environment of this process, `timeout` is in seconds,
    `allowed` are the exit codes that are no error.

    Raises ProcessError when the tool is missing, takes too long or ends with another code.
    """
    arguments = [str(part) for part in command]
    try:
        done = subprocess.run(
            arguments,
            cwd=cwd,
            input=stdin,
            capture_output=True,
            env=child_environment(environment),
            timeout=timeout,
            check=False,
        )
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
