"""Lists of names that are long enough to be written as text."""

from __future__ import annotations


def words_of(text: str) -> frozenset[str]:
    """Return the words in `text`."""
    return frozenset(text.split())
