"""Which kind of failure it was, told from the step, its exit code and the end of its output.

The output is that of makepkg and other tools in the C locale. It is the package's, too, so what is
told here is for people and for the policy of retries, never for what may be published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from caur_ci.plaintext import one_line
from scheduler.job import FailureClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.worker.executors.protocol import StepResult


class Phase(StrEnum):
    """The part of a build that a step belongs to, in the words of a log."""

    STAGE = "copying the package's folder"
    KEYS = "importing the PGP keys of the package"
    PREPARE = "the interfere script prepare"
    APPLY = "applying interfere"
    METADATA = "reading the PKGBUILD"
    DEPENDENCIES = "installing dependencies"
    FETCH = "fetching and preparing the sources"
    BUILD = "building"


@dataclass(frozen=True, slots=True)
class Failure:
    """The kind of a failure, and the line that tells it, where one does."""

    kind: FailureClass
    line: str = ""


_INSTALLS = frozenset({Phase.DEPENDENCIES, Phase.PREPARE})
_FETCHES = frozenset({Phase.FETCH})
_BUILDS = frozenset({Phase.BUILD})
_MAKEPKG = _FETCHES | _BUILDS
_ANYWHERE = frozenset(Phase)


@dataclass(frozen=True, slots=True)
class _Signs:
    """What lines read that tell a kind of failure, and in which phases they do."""

    kind: FailureClass
    phases: frozenset[Phase]
    texts: tuple[str, ...]


# The first that is found counts, of the signs as of their texts: what says more stands before
# what says less.
_SIGNS = (
    _Signs(FailureClass.DISK_FULL, _ANYWHERE, (r"No space left on device", r"Disk quota exceeded")),
    _Signs(
        FailureClass.OUT_OF_MEMORY,
        _ANYWHERE,
        (
            r"Killed signal terminated program",
            r"virtual memory exhausted",
            r"[Cc]annot allocate (?:memory|\d+ bytes)",
            r"std::bad_alloc",
            r"heap out of memory",
            r"java\.lang\.OutOfMemoryError",
            r"memory allocation of \d+ bytes failed",
            r"LLVM ERROR: out of memory",
        ),
    ),
    # makepkg's checks of sources
    _Signs(FailureClass.CHECKSUM, _FETCHES, (r"files did not pass the validity check",)),
    _Signs(FailureClass.SIGNATURE, _FETCHES, (r"PGP signatures could not be verified",)),
    # pacman
    _Signs(
        FailureClass.INFRASTRUCTURE,
        _INSTALLS,
        (
            r"failed retrieving file",
            r"failed to synchronize",
            r"download library error",
            r"unable to lock database",
            r"invalid or corrupted (?:package|database)",
            r"is unknown trust",
        ),
    ),
    _Signs(
        FailureClass.MISSING_DEPENDENCY,
        _INSTALLS,
        (
            r"target not found",
            r"could not find all required packages",
            r"unable to satisfy dependency",
            r"could not satisfy dependencies",
            r"are in conflict",
            r"conflicting dependencies",
        ),
    ),
    # the network, in the words of the C library, curl and git
    _Signs(
        FailureClass.INFRASTRUCTURE,
        _FETCHES | _INSTALLS,
        (
            r"Could not resolve (?:host|proxy)",
            r"Temporary failure in name resolution",
            r"Name or service not known",
            r"Network is unreachable",
            r"No route to host",
            r"Connection (?:refused|timed out|reset by peer)",
            r"Operation timed out",
            r"Failed to connect to",
            r"curl: \((?:5|6|7|16|18|28|35|52|55|56|92)\)",
            r"requested URL returned error: (?:429|5\d\d)",
            r"RPC failed",
            r"early EOF",
            r"unexpected disconnect",
            r"The remote end hung up",
        ),
    ),
    _Signs(
        FailureClass.SOURCE_MISSING,
        _FETCHES,
        (
            r"requested URL returned error: \d+",
            r"curl: \(\d+\)",
            r"[Rr]epository .*(?:not found|does not exist)",
            r"does not appear to be a git repository",
            r"could not read Username",
            r"Authentication failed",
            r"Remote branch .* not found",
            r"Unrecognized reference",
            r"pathspec '.*' did not match",
            r"is not a clone of",
            r"was not found in the build directory and is not a URL",
            r"Unable to find source file",
            r"Failure while (?:downloading|creating working copy|updating working copy)",
            r"Unknown download protocol",
        ),
    ),
    # what builds print
    _Signs(FailureClass.MISSING_DEPENDENCY, _MAKEPKG, (r"Could not resolve all dependencies",)),
    _Signs(
        FailureClass.PATCH,
        _MAKEPKG | {Phase.APPLY},
        (
            r"Hunk #\d+ FAILED",
            r"hunks? FAILED",
            r"patch does not apply",
            r"error: patch failed",
            r"Reversed \(or previously applied\) patch detected",
            r"can't find file to patch",
            r"patch: \*\*\*\*",
            r"malformed patch",
            r"corrupt patch",
        ),
    ),
    _Signs(
        FailureClass.MISSING_DEPENDENCY,
        _BUILDS,
        (
            r"error while loading shared libraries",
            r": command not found",
            r"No package '.*' found",
            r"Package .* was not found in the pkg-config search path",
            r"ModuleNotFoundError",
        ),
    ),
)
_COMPILED = tuple(
    (signs.kind, signs.phases, re.compile(text)) for signs in _SIGNS for text in signs.texts
)

_FUNCTION = re.compile(r"A failure occurred in ([A-Za-z0-9@._+-]+)\(\)")
_STARTED = re.compile(r"^==> Starting ([A-Za-z0-9@._+-]+)\(\)\.\.\.")
_BY_FUNCTION = {"build": FailureClass.COMPILE, "check": FailureClass.CHECK}
# makepkg's exit codes (util/error.sh of libmakepkg), as far as they tell a kind by themselves:
# 4, E_USER_FUNCTION_FAILED, is told apart by the function.
_BY_CODE = {
    2: FailureClass.CONFIGURATION,  # E_CONFIG_ERROR
    3: FailureClass.CONFIGURATION,  # E_INVALID_OPTION
    5: FailureClass.PACKAGING,  # E_PACKAGE_FAILED
    6: FailureClass.SOURCE_MISSING,  # E_MISSING_FILE
    7: FailureClass.PACKAGING,  # E_MISSING_PKGDIR
    8: FailureClass.MISSING_DEPENDENCY,  # E_INSTALL_DEPS_FAILED
    12: FailureClass.CONFIGURATION,  # E_PKGBUILD_ERROR
    15: FailureClass.MISSING_DEPENDENCY,  # E_MISSING_MAKEPKG_DEPS
}
_BY_PHASE = {
    Phase.STAGE: FailureClass.INFRASTRUCTURE,
    Phase.KEYS: FailureClass.SIGNATURE,
    Phase.PREPARE: FailureClass.INTERFERE,
    Phase.APPLY: FailureClass.INTERFERE,
    Phase.METADATA: FailureClass.CONFIGURATION,
    Phase.DEPENDENCIES: FailureClass.MISSING_DEPENDENCY,
}
_ERROR = re.compile(r"^(?:==> )?(?:ERROR|error)\b")
_SHOWN = 300


def classify(phase: Phase, ending: StepResult, tail: str) -> Failure:
    """Return which failure it was that ended a step with another exit code than 0.

    `tail` is the end of what the step has printed.
    """
    lines = tail.splitlines()
    if ending.out_of_memory:
        return Failure(FailureClass.OUT_OF_MEMORY, "the kernel ended it for want of memory")
    function = _failed_function(lines, ending.code)
    if function is not None and not function.startswith("prepare"):
        return _in_function(phase, function, lines)
    for kind, phases, sign in _COMPILED:
        if phase in phases and (line := _last(lines, sign)):
            return Failure(kind, line)
    kind = _BY_PHASE.get(phase) or _BY_CODE.get(ending.code, FailureClass.UNKNOWN)
    return Failure(kind, _last(lines, _FUNCTION) or _last(lines, _ERROR))


def _in_function(phase: Phase, function: str, lines: list[str]) -> Failure:
    """Return what made a function of the PKGBUILD fail.

    Whatever a program prints about networks and files is part of what it does there.
    """
    own = {FailureClass.DISK_FULL, FailureClass.OUT_OF_MEMORY, FailureClass.MISSING_DEPENDENCY}
    own |= {FailureClass.PATCH} if function == "build" else set()
    for kind, phases, sign in _COMPILED:
        if kind in own and phase in phases and (line := _last(lines, sign)):
            return Failure(kind, line)
    if function.startswith("package"):
        return Failure(FailureClass.PACKAGING, f"{function}() failed")
    return Failure(_BY_FUNCTION.get(function, FailureClass.UNKNOWN), f"{function}() failed")


def _failed_function(lines: Iterable[str], code: int) -> str | None:
    """Return the function of the PKGBUILD that failed, as makepkg says, or that was the last."""
    failed = [match[1] for line in lines if (match := _FUNCTION.search(line))]
    if failed or code in _BY_CODE:
        return failed[-1] if failed else None
    # One that says `exit` leaves makepkg no time for words.
    started = [match[1] for line in lines if (match := _STARTED.search(line))]
    return started[-1] if started else None


def _last(lines: list[str], sign: re.Pattern[str]) -> str:
    for line in reversed(lines):
        if sign.search(line):
            return one_line(line)[:_SHOWN]
    return ""
