"""Whether one word is surely another one, misspelt."""

from __future__ import annotations

_SHORTEST = 6


def is_misspelt(word: str, meant: str) -> bool:
    """Tell whether `word` differs from `meant` by case and dashes, or by one slip of a finger.

    A slip is a character too many, one too few, another one, or two that changed places.
    """
    word, meant = (text.upper().replace("-", "_") for text in (word, meant))
    return word == meant or (len(meant) >= _SHORTEST and _is_one_slip(word, meant))


def _is_one_slip(word: str, meant: str) -> bool:
    start = 0
    while start < min(len(word), len(meant)) and word[start] == meant[start]:
        start += 1
    left, right = word[start:], meant[start:]
    return (
        left[1:] == right
        or left == right[1:]
        or left[1:] == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:] and len(left) > 1)
    )
