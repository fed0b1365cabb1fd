"""What stays the same of a line from one build to the next."""

from __future__ import annotations

import re

_LONGEST = 1000
_HASHES = re.compile(r"\b[0-9a-fA-F]{7,128}\b")
_TEMPORARY = re.compile(r"/(?:tmp|var/tmp|dev/shm)/[^\s'\":;,)\]]{1,200}")
_LIBRARIES = re.compile(r"(?<=[\w-])-[0-9a-zA-Z]{16}\b")
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")
_BLANKS = re.compile(r"\s+")


def normal(text: str) -> str:
    """Return a line without times, numbers, hashes and names of temporary files."""
    text = _TEMPORARY.sub("/tmp/*", text[:_LONGEST])  # noqa: S108 - of a text
    text = _HASHES.sub("#", text)
    text = _LIBRARIES.sub("-#", text)
    text = _NUMBERS.sub("#", text)
    return _BLANKS.sub(" ", text).strip()


def mark_of(text: str) -> int:
    """Return a number that lines have in common that are the same but for such things."""
    return hash(normal(text))
