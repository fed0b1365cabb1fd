"""The error tree and the exit codes.

Everything that can go wrong for a reason outside the program is a `CaurError`: the command line
shows its message and hint and ends with its exit code. Anything else that escapes is a bug.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a process tells its caller. Documented in the README."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    BUG = 70
    TEMPORARY = 75
    INTERRUPTED = 130


class CaurError(Exception):
    """An expected failure.

    `message` says what is wrong and where, `hint` what to do about it.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(CaurError):
    """Something handed to us (a name, a file, an option, a message) cannot be used."""


class GaveUpError(InputError):
    """Something is not understood within the limits of size, time and memory; for people to see."""


class ConfigError(InputError):
    """A configuration file holds something that cannot be used."""


class NameNotAllowedError(InputError):
    """A name breaks the rules for package, repository or worker names."""


class GitError(CaurError):
    """Git refused or failed."""


class ProcessError(CaurError):
    """A system tool ended with an error, is missing, or took too long."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        returncode: int | None = None,
        stdout: bytes = b"",
        stderr: bytes = b"",
    ) -> None:
        super().__init__(message, hint=hint)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr


class TemporaryError(CaurError):
    """Not now: a server is out of reach, or somebody else was faster. Trying again may help."""

    exit_code = ExitCode.TEMPORARY
