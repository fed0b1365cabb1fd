"""Whether a worker can work at all: what it finds wrong with itself is no package's fault."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Check = Callable[[], None]

_WELL_FOR = 600.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
_MEBIBYTE = 1024 * 1024


class Readiness:
    """The checks of one worker, each of which raises CaurError or OSError for what is wrong.

    `quick` ones are made before each job, `slow` ones every ten minutes, and after a failure that
    may be the worker's own. While something is wrong, the pauses between two looks grow. `opening`
    waits for what shows only after a while, for so many seconds at the most.
    """

    def __init__(
        self,
        *,
        quick: Sequence[Check] = (),
        slow: Sequence[Check] = (),
        opening: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._quick = quick
        self._slow = slow
        self.wait = opening
        self._next_slow = 0.0
        self._pause = 0.0

    def problem(self) -> str:
        """Return what is wrong, empty for nothing."""
        problem = _first_problem(self._quick)
        if not problem and time.monotonic() >= self._next_slow:
            problem = _first_problem(self._slow)
            if not problem:
                self._next_slow = time.monotonic() + _WELL_FOR
        self._pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, 2 * self._pause)) if problem else 0.0
        return problem

    def look_again(self) -> str:
        """Return what is wrong, looked at anew."""
        self._next_slow = 0.0
        return self.problem()

    @property
    def pause(self) -> float:
        """How many seconds to wait until the next look, while something is wrong."""
        return self._pause


def check_disk(folder: Path, min_free: int) -> None:
    """Raise CaurError or OSError where builds have no room; `min_free` is in MiB."""
    free = shutil.disk_usage(folder).free // _MEBIBYTE
    if free < min_free:
        raise CaurError(
            f"only {free} MiB are free in {folder}, and BUILDER_MIN_FREE asks for {min_free}",
            hint="Make room there, or set SHARED_PATH to a folder on another disk.",
        )
    if os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise ConfigError(
            f"{folder} is mounted `noexec`: no build could run what it has made",
            hint="Set SHARED_PATH to a folder where programs may be run.",
        )
    probe = folder / ".writable"
    probe.write_bytes(b"x")
    probe.unlink()


def _first_problem(checks: Sequence[Check]) -> str:
    for check in checks:
        try:
            check()
        except CaurError as error:
            return f"{error.message} ({error.hint})" if error.hint else error.message
        except OSError as error:
            return f"on the worker: {error}"
    return ""
