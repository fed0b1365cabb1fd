"""What stands in a table: values that the templates know how to show, and what they are as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Words; `small` ones are less important."""

    text: str
    small: str = ""
    kind: ClassVar[str] = "text"


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another page of ours, by its path without the base path."""

    text: str
    path: str
    small: str = ""
    kind: ClassVar[str] = "link"


@dataclass(frozen=True, slots=True)
class Moment:
    """A Unix time, 0 for none."""

    time: float
    kind: ClassVar[str] = "moment"


@dataclass(frozen=True, slots=True)
class Span:
    """A number of seconds, None where it is not known."""

    seconds: float | None
    kind: ClassVar[str] = "span"


@dataclass(frozen=True, slots=True)
class Badge:
    """A state; `tone` is `good`, `bad`, `busy`, `warn` or `calm`."""

    text: str
    tone: str
    path: str = ""
    kind: ClassVar[str] = "badge"


@dataclass(frozen=True, slots=True)
class Several:
    """More than one value."""

    cells: tuple[Cell, ...] = field(default=())
    kind: ClassVar[str] = "several"


Cell: TypeAlias = Text | Link | Moment | Span | Badge | Several
