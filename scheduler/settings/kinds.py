"""What a variable may hold, as text and in a TOML file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from caur_ci.errors import ConfigError
from scheduler.schemas import schema_of

if TYPE_CHECKING:
    from collections.abc import Sequence

T_co = TypeVar("T_co", covariant=True)

_NO_LIMIT = 10**9
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class VariableType(Protocol[T_co]):
    """How the text of a variable becomes a value, and what TOML has in its place."""

    def parse(self, text: str) -> T_co:
        """Return the value, or raise ValueError saying what is allowed."""
        ...

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the value in a TOML file."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Any text, or what fits `pattern`, which people call `allowed`."""

    pattern: str = ""
    allowed: str = ""

    def parse(self, text: str) -> str:
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise ValueError(self.allowed)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", **({"pattern": f"^(?:{self.pattern})$"} if self.pattern else {})}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int = 0
    most: int = _NO_LIMIT

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", text) or not self.least <= int(text) <= self.most:
            limit = (
                f"from {self.least} to {self.most}"
                if self.most < _NO_LIMIT
                else f"of at least {self.least}"
            )
            raise ValueError(f"a whole number {limit}")
        return int(text)

    def schema(self) -> dict[str, Any]:
        limit = {"maximum": self.most} if self.most < _NO_LIMIT else {}
        return {"type": "integer", "minimum": self.least, **limit}


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number that may have a fraction."""

    def parse(self, text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
            raise ValueError("a number such as 2 or 1.5")
        return float(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": 0}


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    def parse(self, text: str) -> bool:
        try:
            return _WORDS[text.lower()]
        except KeyError:
            raise ValueError("true or false") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: Sequence[str]

    def parse(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(" or ".join(self.words))
        return text

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class FilePath:
    """A file or folder on this machine."""

    def parse(self, text: str) -> Path:
        return absolute(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class FilePaths:
    """Files or folders on this machine, with colons in between; in TOML a list."""

    def parse(self, text: str) -> tuple[Path, ...]:
        return tuple(absolute(path) for path in text.split(":") if path)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "pattern": "^[^:]+$"}}


@dataclass(frozen=True, slots=True)
class Words:
    """Words that fit `pattern`, which people call `allowed`, with blanks in between.

    In TOML it is a list.
    """

    pattern: str
    allowed: str

    def parse(self, text: str) -> tuple[str, ...]:
        words = tuple(dict.fromkeys(re.split(r"[\s,:]+", text.strip())))
        if not all(re.fullmatch(self.pattern, word) for word in words):
            raise ValueError(f"{self.allowed}, with blanks in between")
        return words

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "pattern": f"^(?:{self.pattern})$"}}


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON object that one of our schemas describes; in TOML a table of tables."""

    name: str
    example: str

    def parse(self, text: str) -> str:
        return text

    def schema(self) -> dict[str, Any]:
        described = schema_of(self.name)
        return {key: value for key, value in described.items() if not key.startswith("$")}


def absolute(path: str | Path) -> Path:
    """Return `path` from the root, with the home folder in place of a tilde.

    Raises ConfigError where there is none.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(
            f"{path} begins with a home folder that this machine knows nothing of",
            hint="Write the path from the root, or set HOME.",
        ) from error
