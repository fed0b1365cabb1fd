"""The command lines in README and docs: in indented or fenced blocks, and within sentences."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROGRAM = "caur-ci"
# Before a block or a sentence whose commands need what no test has.
_NEEDS = re.compile(r"<!-- needs: (.+) -->")
_FENCE = re.compile(r"```(\w*)")
_SHELL = {"", "sh", "bash", "console"}
_INLINE = re.compile(rf"`({PROGRAM} [^`]+)`")
# What is said of a command, beside it: after two blanks, or behind a #.
_REMARK = re.compile(r"\s{2,}\S.*|\s#\s.*")
_OPERATORS = re.compile(r"\s(?:&&|\|\||;|>>?|\|)\s.*")
_ENVIRONMENT = re.compile(r"(?:[A-Z_]+=(?:'[^']*'|\S*)\s+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """One command: where it stands, its words after the program's name, and what it needs."""

    place: str
    words: tuple[str, ...]
    needs: str = ""
    is_in_sentence: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {PROGRAM} {shlex.join(self.words)}"


def pages() -> list[Path]:
    """Return every page that people write."""
    docs = [path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference"]
    return sorted([*ROOT.glob("*.md"), *docs])


def command_lines(page: Path) -> Iterator[CommandLine]:
    """Yield the commands on a page, in their order."""
    lines = page.read_text(encoding="utf-8").split("\n")
    name = str(page.relative_to(ROOT))
    fence: str | None = None
    needs = ""
    for number, line in enumerate(lines, 1):
        place = f"{name}:{number}"
        if match := _NEEDS.fullmatch(line.strip()):
            needs = match[1]
        elif match := _FENCE.match(line):
            fence = None if fence is not None else match[1]
        elif fence is not None or line.startswith("    "):
            if fence is None or fence in _SHELL:
                yield from _of_block(place, line.strip(), needs)
        elif line.strip():
            needs = needs if _is_before_block(lines, number) else ""
            yield from _of_sentence(place, line, needs)


def _is_before_block(lines: list[str], number: int) -> bool:
    """Tell whether only blank lines are between a marker and what follows it."""
    return _NEEDS.fullmatch(lines[number - 2].strip()) is not None


def _of_block(place: str, line: str, needs: str) -> Iterator[CommandLine]:
    for part in re.split(r"\s&&\s|\|\|", line):
        command = _ENVIRONMENT.sub("", part.strip(), count=1)
        if command.startswith((f"{PROGRAM} ", f"exec {PROGRAM} ")):
            text = command.partition(f"{PROGRAM} ")[2].removesuffix("\\")
            text = _OPERATORS.sub("", _REMARK.sub("", f" {text}"))
            yield CommandLine(place=place, words=tuple(shlex.split(text)), needs=needs)


def _of_sentence(place: str, line: str, needs: str) -> Iterator[CommandLine]:
    for text in _INLINE.findall(line):
        try:
            words = tuple(shlex.split(_OPERATORS.sub("", text.removeprefix(PROGRAM))))
        except ValueError:  # the rest of it is on the next line
            continue
        yield CommandLine(place=place, words=words, needs=needs, is_in_sentence=True)
