"""Text in `$'…'`, and with the escapes of `printf` and `echo -e`, as bash's manual tells them."""

from __future__ import annotations

import re

from caur_ci.pkgbuild.values import UnsureError

_SINGLE = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}
_NUMBER = re.compile(r"x([0-9A-Fa-f]{1,2})|([0-7]{1,3})")
_CHARACTER = re.compile(r"u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})")


def ansi_c(text: str, position: int, end: int) -> tuple[str, int]:
    """Return the bytes that stand before the closing quote, and the place behind that.

    `text` has a character for each byte, as has what is returned.

    Raises UnsureError.
    """
    made: list[str] = []
    while position < end and text[position] != "'":
        if text[position] != "\\":
            made.append(text[position])
            position += 1
        else:
            piece, position = _escape(text, position + 1, end)
            made.append(piece)
    if position >= end:
        raise UnsureError("a quote that does not end")
    return "".join(made), position + 1


def unescaped(text: str) -> str:
    """Return readable `text` with its backslash escapes carried out, as in printf's format."""
    made: list[str] = []
    position = 0
    while position < len(text):
        if text[position] != "\\":
            made.append(text[position])
            position += 1
            continue
        following = text[position + 1 : position + 2]
        # echo and printf differ in what quotes and numbers mean.
        if following not in _SINGLE or following in "\"'?":
            raise UnsureError("an escape that is not modelled")
        made.append(_SINGLE[following])
        position += 2
    return "".join(made)


def _escape(text: str, position: int, end: int) -> tuple[str, int]:
    """Return what follows a backslash, and the place behind it."""
    if match := _NUMBER.match(text, position, end):
        value = int(match[1], 16) if match[1] else int(match[2], 8) & 0xFF
        if value == 0:
            raise UnsureError("a NUL byte")
        return chr(value), match.end()
    if match := _CHARACTER.match(text, position, end):
        value = int(match[1] or match[2], 16)
        if not 0 < value < 0xD800 and not 0xE000 <= value < 0x110000:
            raise UnsureError("a character that is none")
        return chr(value).encode().decode("latin-1"), match.end()
    char = text[position : position + 1]
    if char not in _SINGLE:
        raise UnsureError("an escape that is not modelled")
    return _SINGLE[char], position + 1
