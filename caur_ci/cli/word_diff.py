"""Shows a change word by word, with the findings beside the lines."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from rich.text import Text

from caur_ci.plaintext import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from caur_ci.judge import File, Finding, Judgement

_CONTEXT = 3
_LONGEST_LINE = 500
# Comparing takes a time that grows with the square of it.
_MOST_LINES = 5000
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_STYLES = {"note": "dim", "warning": "yellow", "danger": "bold red"}
_VERDICTS = {"identical": "green", "minor": "green", "major": "bold red"}


def print_diff(
    console: Console, old: Mapping[str, File], new: Mapping[str, File], judgement: Judgement
) -> None:
    """Print verdict, findings and what changed in each file; nothing in it acts on a terminal."""
    verdict = judgement.verdict.value
    console.print(Text(verdict, _VERDICTS[verdict]))
    for finding in judgement.findings:
        console.print(
            Text(f"  {finding.severity}: {_safe(str(finding))}", _STYLES[finding.severity])
        )
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before != after:
            console.print()
            beside = [finding for finding in judgement.findings if finding.file == path]
            for line in _file(path, before, after, beside):
                console.print(line)


def _file(
    path: str, old: File | None, new: File | None, findings: Sequence[Finding]
) -> Iterator[Text]:
    kind = "new" if old is None else "removed" if new is None else "changed"
    yield Text(f"{_safe(path)} ({kind})", "bold")
    before, after = _lines(old), _lines(new)
    if before is None or after is None:
        yield Text("  no text", "dim")
        return
    if max(len(before), len(after)) > _MOST_LINES:
        yield Text(f"  {len(before):,} lines → {len(after):,} lines", "dim")
        return
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    beside = _Beside(findings)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        yield Text(f"@@ line {group[0][3] + 1}", "cyan")
        for kind, old_start, old_end, new_start, new_end in group:
            if kind == "equal":
                for place in range(new_start, new_end):
                    yield Text(f"  {_safe(after[place])}", "dim")
                    yield from beside.line(place + 1)
                continue
            removed, added = _marked(before[old_start:old_end], after[new_start:new_end])
            for place, line in enumerate(removed, start=old_start + 1):
                yield line
                yield from beside.line(place, is_old=True)
            for place, line in enumerate(added, start=new_start + 1):
                yield line
                yield from beside.line(place)


class _Beside:
    """The findings of one file by their lines; each is shown once."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._by_line: dict[tuple[bool, int], list[Finding]] = {}
        for finding in findings:
            # Of what is gone, the line is that of the old file.
            is_old = bool(finding.old) and not finding.new
            self._by_line.setdefault((is_old, finding.line), []).append(finding)

    def line(self, number: int, *, is_old: bool = False) -> Iterator[Text]:
        for finding in self._by_line.pop((is_old, number), ()):
            text = f"    ^ {finding.severity}: {_safe(finding.message)} ({finding.code})"
            yield Text(text, _STYLES[finding.severity])


def _marked(old: Sequence[str], new: Sequence[str]) -> tuple[list[Text], list[Text]]:
    """Return lines that took each other's place, with the words that differ marked."""
    removed = [Text(f"- {_safe(line)}", "red") for line in old]
    added = [Text(f"+ {_safe(line)}", "green") for line in new]
    if len(old) != len(new):
        return removed, added
    for place, (was, it) in enumerate(zip(old, new, strict=True)):
        left, right = _WORDS.findall(_safe(was)), _WORDS.findall(_safe(it))
        removed[place], added[place] = Text("- ", "red"), Text("+ ", "green")
        for kind, i, j, k, m in difflib.SequenceMatcher(
            None, left, right, autojunk=False
        ).get_opcodes():
            same = kind == "equal"
            removed[place].append("".join(left[i:j]), "red" if same else "bold red reverse")
            added[place].append("".join(right[k:m]), "green" if same else "bold green reverse")
    return removed, added


def _lines(file: File | None) -> list[str] | None:
    if file is None:
        return []
    if file.link:
        return [f"→ {file.content.decode('utf-8', 'replace')}"]
    if b"\0" in file.content:
        return None
    return file.content.decode("utf-8", "replace").removesuffix("\n").split("\n")


def _safe(line: str) -> str:
    shown = printable(line[:_LONGEST_LINE]).replace("\n", " ").expandtabs(4)
    return shown if len(line) <= _LONGEST_LINE else f"{shown}…"
