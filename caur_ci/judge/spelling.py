"""Names that are close to others."""

from __future__ import annotations


def is_one_letter_off(name: str, known: str) -> bool:
    """Tell whether one letter more, less, other or exchanged with its neighbour is between them."""
    if name == known or abs(len(name) - len(known)) > 1:
        return False
    start = 0
    while start < min(len(name), len(known)) and name[start] == known[start]:
        start += 1
    left, right = name[start:], known[start:]
    if len(left) == len(right):
        swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
        return left[1:] == right[1:] or (len(left) > 1 and swapped)
    return left[1:] == right if len(left) > len(right) else left == right[1:]
