"""The KEY=VALUE files of `.ci/config` and `.CI/config`: read, and rewritten without losing a line.

One assignment per line, the last one of a key wins. A value may be bare or quoted; a comment
starts with `#` at the beginning of a line or after a blank. Lines that are none of these are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from caur_ci.errors import ConfigError, InputError

_ASSIGNMENT = re.compile(
    r"(?P<head>[ \t]*(?P<key>[A-Za-z0-9_]+)[ \t]*=(?P<gap>[ \t]*))(?P<rest>.*?)(?P<tail>[ \t\r]*)",
    re.DOTALL,
)
_BARE_COMMENT = re.compile(r"[ \t]+#")
_COMMENT = re.compile(r"[ \t]*(#|$)")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
_ESCAPED = re.compile(r'\\(["\\$`])')
_NEEDS_ESCAPE = re.compile(r'(["\\$`])')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_KEY = re.compile(r"[A-Za-z0-9_]+")
# Editors on Windows put it in front of a file; it says nothing.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `KEY=VALUE` line. `line` counts from 1; `value` is without its quotes."""

    key: str
    value: str
    line: int
    # How the line is spelt around the value, so that a rewrite changes nothing else.
    head: str
    quote: str
    tail: str


class KeyValueFile:
    """The lines of one file, with the assignments among them.

    Bytes that are not UTF-8 survive a rewrite.
    """

    def __init__(
        self, lines: list[str], assignments: dict[int, Assignment], mark: bytes = b""
    ) -> None:
        self._mark = mark
        self._lines = lines
        self._assignments = assignments

    @classmethod
    def parse(cls, data: bytes, *, origin: str) -> Self:
        """Read `data`; `origin` is the file's name for messages.

        Raises ConfigError where a quoted value does not end or has text after its end.
        """
        mark = _BYTE_ORDER_MARK if data.startswith(_BYTE_ORDER_MARK) else b""
        lines = data.removeprefix(mark).decode("utf-8", "surrogateescape").split("\n")
        assignments = {}
        for index, line in enumerate(lines):
            try:
                assignment = _parse_line(line, index + 1)
            except ValueError as error:
                raise ConfigError(f"{origin}:{index + 1}: {error}") from error
            if assignment is not None:
                assignments[index] = assignment
        return cls(lines, assignments, mark)

    def assignments(self) -> dict[str, Assignment]:
        """Return the assignment in force for each key, in the order of the file."""
        return {found.key: found for found in self._assignments.values()}

    def overridden(self) -> list[Assignment]:
        """Return the assignments that later ones of the same key put out of force."""
        in_force = self.assignments()
        return [found for found in self._assignments.values() if found is not in_force[found.key]]

    def get(self, key: str) -> str | None:
        """Return the value in force for `key`."""
        found = self.assignments().get(key)
        return None if found is None else found.value

    def stray_lines(self) -> list[int]:
        """Return the numbers of the lines that are neither assignment, comment nor blank."""
        return [
            index + 1
            for index, line in enumerate(self._lines)
            if index not in self._assignments and not _COMMENT.match(line.rstrip("\r"))
        ]

    def set(self, key: str, value: str) -> None:
        """Give `key` the value `value`, in its place or on a new last line.

        Raises InputError for a key or value that the file form cannot hold.
        """
        if not _KEY.fullmatch(key):
            raise InputError(f"{key!r} cannot be a key")
        if _CONTROL.search(value):
            raise InputError(f"the value of {key} holds a line break or control character")
        index = max((i for i, a in self._assignments.items() if a.key == key), default=None)
        if index is None:
            index = self._append(f"{key}=")
        found = self._assignments[index]
        # The form that is there, if it can say the value.
        for spelt in (_spell(value, found.quote), _double_quoted(value)):
            line = found.head + spelt + found.tail
            written = _reread(line, index + 1)
            if written is not None and written.value == value:
                self._lines[index] = line
                self._assignments[index] = written
                return
        raise InputError(f"the value of {key} cannot be written: {value!r}")

    def remove(self, key: str) -> None:
        """Take every assignment of `key` out."""
        gone = {index for index, found in self._assignments.items() if found.key == key}
        kept = [index for index in range(len(self._lines)) if index not in gone]
        self._assignments = {
            new: self._assignments[old] for new, old in enumerate(kept) if old in self._assignments
        }
        self._lines = [self._lines[index] for index in kept]

    def render(self) -> bytes:
        """Return the file's content."""
        return self._mark + "\n".join(self._lines).encode("utf-8", "surrogateescape")

    def _append(self, line: str) -> int:
        ending = "\r" if len(self._lines) > 1 and self._lines[-2].endswith("\r") else ""
        if self._lines[-1] == "":
            index = len(self._lines) - 1
            self._lines.insert(index, line + ending)
        else:
            index = len(self._lines)
            self._lines += [line + ending, ""]
        parsed = _parse_line(self._lines[index], index + 1)
        assert parsed is not None  # noqa: S101 - `line` is an assignment by construction
        self._assignments[index] = parsed
        return index


def _reread(line: str, number: int) -> Assignment | None:
    try:
        return _parse_line(line, number)
    except ValueError:
        return None


def _parse_line(line: str, number: int) -> Assignment | None:
    match = _ASSIGNMENT.fullmatch(line)
    if match is None:
        return None
    rest = match["rest"]
    if rest[:1] in {'"', "'"}:
        value, comment = _split_quoted(rest)
        quote = rest[0]
    else:
        value, comment = _split_bare(rest, after_blank=bool(match["gap"]))
        quote = ""
    return Assignment(match["key"], value, number, match["head"], quote, comment + match["tail"])


def _split_quoted(rest: str) -> tuple[str, str]:
    quote = rest[0]
    match = (_DOUBLE_QUOTED if quote == '"' else _SINGLE_QUOTED).match(rest)
    if match is None:
        raise ValueError(f"the value starts with {quote} but does not end with it")
    comment = rest[match.end() :]
    if not _COMMENT.match(comment):
        raise ValueError(f"there is text after the closing {quote}: put the whole value in quotes")
    value = match[1]
    return (_ESCAPED.sub(r"\1", value) if quote == '"' else value), comment


def _split_bare(rest: str, *, after_blank: bool) -> tuple[str, str]:
    if after_blank and rest.startswith("#"):
        return "", rest
    match = _BARE_COMMENT.search(rest)
    return (rest, "") if match is None else (rest[: match.start()], rest[match.start() :])


def _spell(value: str, quote: str) -> str:
    if quote == "'" and "'" not in value:
        return f"'{value}'"
    return _double_quoted(value) if quote else value


def _double_quoted(value: str) -> str:
    return '"' + _NEEDS_ESCAPE.sub(r"\\\1", value) + '"'
