"""Keeps secrets out of logs: those that the worker knows, and what looks like one.

A build gets none of them, but people print what they have in their own files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from caur_ci.credentials import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MASK = HIDDEN.encode()
# Shorter ones occur everywhere.
_SHORTEST = 6
# As long as what looks like a token, or a login in a URL, can be.
_LONGEST_TOKEN = 300
_BLANKS = (b" ", b"\t", b"\r", b"\n")
_BEGUN_KEY = re.compile(rb"-----BEGIN [A-Z ]{0,60}-{0,5}\Z")
_LONGEST_MARK = 80
_KEY_BODY = rb"[A-Za-z0-9+/=\s:,\\-]{0,16384}"
_OF_WORD = rb"(?<![A-Za-z0-9_])"


def _all(_text: bytes, found: re.Match[bytes]) -> tuple[int, int]:
    return found.span()


def _login(text: bytes, found: re.Match[bytes]) -> tuple[int, int] | None:
    """Return where the secret in a URL is; who somebody is for ssh or git is none."""
    start, end = found.start() + 3, found.end() - 1
    is_secret = b":" in text[start:end] or text.endswith((b"http", b"https"), 0, found.start())
    return (start, end) if is_secret else None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What secrets of one kind look like. `mark` is in all of them, and quick to look for."""

    mark: bytes
    pattern: re.Pattern[bytes]
    place: Callable[[bytes, re.Match[bytes]], tuple[int, int] | None] = _all

    def find(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield where they are."""
        if self.mark in text:
            for found in self.pattern.finditer(text):
                if (place := self.place(text, found)) is not None:
                    yield place


_SHAPES = (
    *(
        _Shape(mark, re.compile(_OF_WORD + re.escape(mark) + rb"[A-Za-z0-9_.-]{16,255}"))
        for mark in (b"glpat-", b"gldt-", b"glrt-", b"glptt-", b"glcbt-", b"gloas-", b"glsoat-")
    ),
    *(
        _Shape(mark, re.compile(_OF_WORD + mark + rb"[A-Za-z0-9_]{20,255}"))
        for mark in (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_")
    ),
    *(
        _Shape(mark, re.compile(_OF_WORD + mark + rb"[A-Z0-9]{16}(?![A-Za-z0-9_])"))
        for mark in (b"AKIA", b"ASIA")
    ),
    _Shape(b"://", re.compile(rb"://[^\s/@'\"<>]{1,256}@"), _login),
    _Shape(
        b"PRIVATE KEY-----",
        re.compile(
            rb"-----BEGIN [A-Z ]{0,60}PRIVATE KEY-----(?:"
            + _KEY_BODY
            + rb"?-----END [A-Z ]{0,60}PRIVATE KEY-----|"
            + _KEY_BODY
            + rb")"
        ),
    ),
)


class Masker:
    """Puts stars in the place of secrets in a text that comes in portions.

    What may turn out to be a part of a secret is held back until it is clear: that is at most the
    last word, or a private key without its end.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Mask `secrets`, line by line, as they are and as they are in URLs."""
        self._known = sorted(_forms(secrets), key=lambda form: (-len(form), form))
        self._longest = max([_LONGEST_TOKEN, *map(len, self._known)])
        self._with_blanks = [
            form for form in self._known if any(blank in form for blank in _BLANKS)
        ]
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take a portion and return what can be shown by now."""
        text = self._held + data
        found = self._find(text)
        end = self._clear_end(text)
        for start, stop in reversed(found):
            if stop > end or stop == len(text):  # it may be longer
                end = min(end, start)
        self._held = text[end:]
        return _masked(text[:end], [place for place in found if place[1] <= end])

    def close(self) -> bytes:
        """Return the rest: nothing follows."""
        text, self._held = self._held, b""
        return _masked(text, self._find(text))

    def _find(self, text: bytes) -> list[tuple[int, int]]:
        """Return where secrets are, from the beginning on and without overlaps."""
        places = [place for shape in _SHAPES for place in shape.find(text)]
        places += [place for form in self._known for place in _each(text, form)]
        merged: list[tuple[int, int]] = []
        for start, end in sorted(places):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _clear_end(self, text: bytes) -> int:
        """Return where that begins which may be the beginning of a secret."""
        first = max(0, len(text) - self._longest)
        last_blank = max(text.rfind(blank, first) for blank in _BLANKS)
        end = max(first, last_blank + 1)
        if begun := _BEGUN_KEY.search(text, max(0, len(text) - _LONGEST_MARK)):
            end = min(end, begun.start())
        for form in self._with_blanks:
            for size in range(min(len(form) - 1, len(text)), len(text) - end, -1):
                if text.endswith(form[:size]):
                    end = len(text) - size
                    break
        return end


def _forms(secrets: Iterable[str]) -> set[bytes]:
    lines = {line.strip() for secret in secrets for line in secret.splitlines()}
    forms = lines | {quote(line, safe="", errors="surrogateescape") for line in lines}
    return {form.encode(errors="surrogateescape") for form in forms if len(form) >= _SHORTEST}


def _each(text: bytes, form: bytes) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + len(form))


def _masked(text: bytes, places: Iterable[tuple[int, int]]) -> bytes:
    parts, done = [], 0
    for start, end in places:
        parts += [text[done:start], _MASK]
        done = end
    return b"".join([*parts, text[done:]])
