"""What is known of an ELF file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Symbol(NamedTuple):
    """A name that is bound when a program is loaded.

    `version` is the version of the name, as in `memcpy@GLIBC_2.14`, empty where it has none. `size`
    is in bytes; for a vtable it tells how many functions there are.
    """

    name: str
    version: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """The names that a file takes from others and gives to others.

    Without the ones that it can do without (weak and undefined). `complete` says whether all of
    them were within reach.
    """

    imported: tuple[Symbol, ...] = ()
    exported: tuple[Symbol, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfObject:
    """A program or library.

    `bits` is 32 or 64, `machine` the number of the processor's kind. Where libraries are searched
    (DT_RUNPATH) is left out: what a package brings itself is its own wherever it is.
    """

    bits: int
    machine: int
    soname: str = ""
    needs: tuple[str, ...] = ()
    symbols: Symbols | None = None
