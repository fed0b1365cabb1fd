"""What a variable holds: text, an array, or something that cannot be known without running it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Shape(Enum):
    """What is known of a value that is not known: what a later assignment makes of it."""

    TEXT = "text"
    ARRAY = "array"
    # With attributes, as an associative array, or different from case to case.
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class Unsure:
    """A value that is not known, with the reason and the line that it comes from."""

    reason: str
    line: int
    shape: Shape = Shape.TEXT


@dataclass(frozen=True, slots=True)
class Array:
    """An indexed array; its indices rise and may have gaps."""

    items: tuple[tuple[int, str], ...] = ()

    @classmethod
    def of(cls, values: Iterable[str]) -> Array:
        """Return an array of `values`, counted from 0."""
        return cls(tuple(enumerate(values)))

    @property
    def values(self) -> tuple[str, ...]:
        """The elements, in the order of their indices."""
        return tuple(value for _, value in self.items)

    def get(self, index: int) -> str | None:
        """Return the element at `index`; a negative one counts from the end."""
        if index < 0:
            index += self._end
        if index < 0:
            raise UnsureError("an index before the first element")
        return dict(self.items).get(index)

    def with_item(self, index: int, value: str) -> Array:
        """Return the array with `value` at `index`."""
        if index < 0:
            index += self._end
        if index < 0:
            raise UnsureError("an index before the first element")
        return Array(tuple(sorted({**dict(self.items), index: value}.items())))

    def extended(self, values: Iterable[str]) -> Array:
        """Return the array with `values` behind its last element."""
        return Array((*self.items, *enumerate(values, self._end)))

    @property
    def _end(self) -> int:
        return self.items[-1][0] + 1 if self.items else 0


Known = str | Array
Value = str | Array | Unsure


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's value, and the number of the line that gave it."""

    value: Value
    line: int
    readonly: bool = False


class UnsureError(Exception):
    """What is being evaluated cannot be known. `line` is 0 where the raiser does not know it."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class LostError(Exception):
    """From here on nothing can be known: what is run may have changed anything."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(slots=True)
class Budget:
    """How much work one evaluation may be. Running out of it makes everything unsure."""

    steps: int = 150_000
    characters: int = 4_000_000

    def step(self, count: int = 1) -> None:
        """Count work."""
        self.steps -= count
        if self.steps < 0:
            raise LostError("it takes too many steps to evaluate", 0)

    def made(self, characters: int) -> None:
        """Count text that was made."""
        self.characters -= characters
        if self.characters < 0:
            raise LostError("it makes too much text", 0)
