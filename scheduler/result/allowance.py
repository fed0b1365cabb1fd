"""How much the packages of one build may come to, and for how long they are read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.result.errors import BadPackageError

if TYPE_CHECKING:
    from collections.abc import Callable

_GIBIBYTE = 1024**3
_CHECKED_EVERY = 0.2


def _go_on() -> None:
    pass


@dataclass(slots=True, kw_only=True)
class Allowance:
    """What is left for the rest of the packages of a build, all of them together.

    `packed` and `unpacked` are bytes, with and without compression; the latter is against archives
    that are small only as long as they are compressed. `members` counts what is in them, `elf`
    the programs and libraries that are described, and `elf_names` the bytes of what is said of
    those. `check` is called several times a second, and ends the reading by raising something.
    """

    check: Callable[[], None] = _go_on
    packed: int = 64 * _GIBIBYTE
    unpacked: int = 256 * _GIBIBYTE
    members: int = 2_000_000
    elf: int = 20_000
    elf_names: int = 8 * 1024 * 1024
    _next_check: float = 0.0

    def take_packed(self, size: int) -> None:
        """Count a package file. Raises BadPackageError where that is too much."""
        self._check()
        self.packed -= size
        if self.packed < 0:
            raise BadPackageError("the packages of the build are too large")

    def take_unpacked(self, size: int) -> None:
        """Count what was read of an archive. Raises BadPackageError where that is too much."""
        self._check()
        self.unpacked -= size
        if self.unpacked < 0:
            raise BadPackageError("it is too large without its compression")

    def _check(self) -> None:
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + _CHECKED_EVERY
            self.check()

    def take_member(self) -> None:
        """Count something in an archive. Raises BadPackageError where that is too much."""
        self.members -= 1
        if self.members < 0:
            raise BadPackageError("it holds too many files")

    def takes_elf(self, names: int) -> bool:
        """Tell whether there is room for another ELF file with `names` bytes, and count it."""
        if self.elf < 1 or self.elf_names < names:
            return False
        self.elf -= 1
        self.elf_names -= names
        return True
