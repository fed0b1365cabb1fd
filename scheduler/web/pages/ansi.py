"""A line of a log as HTML: its colours as classes, everything else escaped."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from caur_ci.plaintext import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOURS = re.compile(r"\x1b\[([0-9;]{0,40})m")
_COLOURED = re.compile(r"(\x1b\[[0-9;]{0,40}m)")
_EIGHT = 8
# The levels of the 6 x 6 x 6 cube that stands for most of the 256 colours.
_LEVELS = (0, 95, 135, 175, 215, 255)
_BRIGHT = 160


@dataclass(frozen=True, slots=True)
class _Style:
    """How text looks; colours are numbers from 0 to 7, None for the usual one."""

    bold: bool = False
    dim: bool = False
    italic: bool = False
    underlined: bool = False
    foreground: int | None = None
    background: int | None = None

    def classes(self) -> str:
        """Return the names of the classes, nothing for text that looks as usual."""
        flags = {"a-bold": self.bold, "a-dim": self.dim}
        flags |= {"a-italic": self.italic, "a-under": self.underlined}
        names = [name for name, is_set in flags.items() if is_set]
        if self.foreground is not None:
            names.append(f"f{self.foreground}")
        if self.background is not None:
            names.append(f"g{self.background}")
        return " ".join(names)


_PLAIN = _Style()


def line_text(line: bytes) -> str:
    """Return a line as it ends up on a terminal, its colours among it.

    Of what is written over, as by progress bars, the last is shown. Broken UTF-8 and everything
    that acts on a terminal but for colours is replaced.
    """
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part), "")
    parts = _COLOURED.split(text)
    parts[::2] = map(_harmless, parts[::2])
    return "".join(parts)


def _harmless(text: str) -> str:
    """Return text between colours without what acts on a terminal; most has nothing of the kind."""
    return text if text.isascii() and text.isprintable() else for_terminal(text)


def plain(text: str) -> str:
    """Return what `line_text` returned without its colours."""
    return _COLOURS.sub("", text)


def to_html(text: str) -> Markup:
    """Return what `line_text` returned as HTML."""
    return Markup("").join(_spans(text))


def _spans(text: str) -> Iterator[Markup]:
    style = _PLAIN
    for place, part in enumerate(_COLOURS.split(text)):
        if place % 2:
            style = _after(style, part)
        elif part and (classes := style.classes()):
            yield Markup('<span class="{}">{}</span>').format(classes, part)
        elif part:
            yield escape(part)


def _after(style: _Style, codes: str) -> _Style:
    """Return the style after one command (ECMA-48, SGR)."""
    numbers = [int(code or 0) for code in codes.split(";")]
    while numbers:
        code = numbers.pop(0)
        if code in {38, 48}:
            colour = _extended(numbers)
            style = (
                replace(style, foreground=colour)
                if code == 38
                else replace(style, background=colour)
            )
        else:
            style = _simple(style, code)
    return style


def _simple(style: _Style, code: int) -> _Style:
    match code:
        case 0:
            return _PLAIN
        case 1 | 2 | 3 | 4:
            names = ("bold", "dim", "italic", "underlined")
            return replace(style, **{names[code - 1]: True})
        case 22:
            return replace(style, bold=False, dim=False)
        case 23:
            return replace(style, italic=False)
        case 24:
            return replace(style, underlined=False)
        case _:
            return _coloured(style, code)


def _coloured(style: _Style, code: int) -> _Style:
    if 30 <= code <= 39 or 90 <= code <= 97:
        return replace(style, foreground=code % 10 if code % 10 < _EIGHT else None)
    if 40 <= code <= 49 or 100 <= code <= 107:
        return replace(style, background=code % 10 if code % 10 < _EIGHT else None)
    return style


def _extended(numbers: list[int]) -> int | None:
    """Take a colour of 256, or of all, off the numbers; return the nearest of the eight."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 5 and numbers:
        return _of_256(numbers.pop(0))
    if kind == 2 and len(numbers) >= 3:
        rgb = numbers[:3]
        del numbers[:3]
        return _nearest(*rgb)
    numbers.clear()
    return None


def _of_256(colour: int) -> int:
    if colour < 16:
        return colour % _EIGHT
    if colour < 232:
        cube = colour - 16
        return _nearest(_LEVELS[cube // 36], _LEVELS[cube // 6 % 6], _LEVELS[cube % 6])
    return 0 if colour < 244 else 7


def _nearest(red: int, green: int, blue: int) -> int:
    edge = max(red, green, blue) * 2 // 3
    if max(red, green, blue) - min(red, green, blue) < 32:
        return 7 if red >= _BRIGHT else 0
    return (red > edge) + 2 * (green > edge) + 4 * (blue > edge)
