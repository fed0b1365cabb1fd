"""Which of a repository's tags is the version, found as nvchecker does, in a confined process.

What its options mean is told by nvchecker's documentation ("List Options", "Global Options").
"""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

from caur_ci.errors import InputError
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PIECES = re.compile(r"([0-9]+|[a-z]+|\.|-)")
_LIKE = {"pre": "c", "preview": "c", "rc": "c", "dev": "@", "-": "final-"}
_DIGITS = 8
_FINAL = "*final"


def choose(tags: Sequence[str], options: Mapping[str, Any], current: str) -> list[str]:
    """Return the newest version, its tag, and the tag of the version `current` if there is one.

    Raises InputError where no tag is left, or an option cannot be used.
    """
    try:
        chosen = _newest(tags, options)
        version = _substituted(chosen, options)
        old = _tag_of(current, tags, options)
    except re.error as error:
        raise InputError(f"a regular expression cannot be used: {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise InputError(f"an option cannot be used: {error}") from error
    return [version, chosen, old]


def _newest(tags: Sequence[str], options: Mapping[str, Any]) -> str:
    left = list(tags)
    if not left:
        raise InputError("the repository has no tags")
    if include := options.get("include_regex"):
        pattern = re.compile(include)
        left = [tag for tag in left if pattern.fullmatch(tag)]
        if not left:
            raise InputError("include_regex matches no tag")
    if exclude := options.get("exclude_regex"):
        pattern = re.compile(exclude)
        left = [tag for tag in left if not pattern.fullmatch(tag)]
    ignored = set(options.get("ignored", "").split())
    left = [tag for tag in left if tag not in ignored]
    if not left:
        raise InputError("exclude_regex and ignored leave no tag")
    key = _SORTING[options.get("sort_version_key", "parse_version")]
    # Of several that are equal, nvchecker takes the last.
    return max(reversed(left), key=key)


def _substituted(version: str, options: Mapping[str, Any]) -> str:
    if prefix := options.get("prefix"):
        version = version.removeprefix(prefix)
    if pattern := options.get("from_pattern"):
        replacement = options.get("to_pattern")
        if replacement is None:
            raise InputError("there is from_pattern, and no to_pattern")
        version = re.sub(pattern, replacement, version)
    return version


def _tag_of(current: str, tags: Sequence[str], options: Mapping[str, Any]) -> str:
    for tag in tags:
        if _substituted(tag, options).removeprefix("v") == current:
            return tag
    return ""


def _as_python(text: str) -> tuple[int, Any]:
    """Order versions as Python packages do; what is none of these comes before all that are."""
    try:
        return 1, PythonVersion(text)
    except InvalidVersion:
        return 0, _by_pieces(text)


def _by_pieces(text: str) -> tuple[str, ...]:
    """Order whatever it is as setuptools did before there were rules."""
    pieces: list[str] = []
    for piece in _PIECES.split(text.lower()):
        like = _LIKE.get(piece, piece)
        if not like or like == ".":
            continue
        if like[0].isdigit() and like[0].isascii():
            pieces.append(like.zfill(_DIGITS))
            continue
        _add_word(pieces, f"*{like}")
    _add_word(pieces, _FINAL)
    return tuple(pieces)


def _add_word(pieces: list[str], word: str) -> None:
    if word < _FINAL:  # before a release: a hyphen in between means nothing
        while pieces and pieces[-1] == f"{_FINAL}-":
            pieces.pop()
    while pieces and pieces[-1] == "0" * _DIGITS:
        pieces.pop()
    pieces.append(word)


def _as_pacman(text: str) -> Any:  # noqa: ANN401 - what functools makes
    """Order as pacman's vercmp does, which takes any text."""
    epoch, _, rest = text.rpartition(":")
    number = int(epoch) if epoch.isascii() and epoch.isdecimal() else 0
    version, hyphen, release = rest.rpartition("-")
    if not hyphen:
        version, release = release, ""
    return cmp_to_key(_pacman_order)((number, version, release))


def _pacman_order(first: tuple[int, str, str], second: tuple[int, str, str]) -> int:
    if first[0] != second[0]:
        return -1 if first[0] < second[0] else 1
    order = _compared(first[1], second[1])
    return order or (_compared(first[2], second[2]) if first[2] and second[2] else 0)


def _compared(first: str, second: str) -> int:
    # Whatever is neither letter nor digit separates, and does nothing else.
    return vercmp(*(re.sub(r"[^0-9A-Za-z.~^]", ".", text) or "." for text in (first, second)))


_SORTING: Mapping[str, Callable[[str], Any]] = {
    "parse_version": _as_python,
    "vercmp": _as_pacman,
}
