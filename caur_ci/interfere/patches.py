"""Reads `interfere.patch`: is it a patch that `patch -p1` can apply in the package's folder?

Only the unified form is taken, which is what git and `diff -u` write. Other forms can hold
commands of an editor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_HUNK = re.compile(rb"@@ -[0-9]+(?:,(?P<old>[0-9]{1,9}))? \+[0-9]+(?:,(?P<new>[0-9]{1,9}))? @@")
# A name at the start of a line that `patch` takes for that of a file.
_NAMES = (b"--- ", b"+++ ", b"Index: ", b"rename from ", b"rename to ", b"copy from ", b"copy to ")
_WITH_PREFIX = (b"--- ", b"+++ ")
_OTHER_FORMS = {b"***************": "a context diff", b"GIT binary patch": "a binary patch"}
_HOW_TO = "write it with git diff, or with diff -u between the folders a/ and b/"


def problems_of_patch(content: bytes) -> list[tuple[int, str]]:
    """Return what keeps `content` from being applied: the number of the line, and what it is."""
    reader = _Reader()
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        reader.take(number, line)
    return reader.end()


@dataclass(slots=True)
class _Reader:
    problems: list[tuple[int, str]] = field(default_factory=list)
    hunks: int = 0
    hunk_line: int = 0
    file_named: bool = False
    # Lines that the hunk at hand still has to have, on either side.
    old: int = 0
    new: int = 0

    def take(self, number: int, line: bytes) -> None:
        if self.old > 0 or self.new > 0:
            self._in_hunk(number, line)
        elif line.startswith(b"@@ "):
            self._start_hunk(number, line)
        else:
            self._between_hunks(number, line)

    def end(self) -> list[tuple[int, str]]:
        if self.old > 0 or self.new > 0:
            self._say(self.hunk_line, "the hunk that begins here is cut short")
        if not self.hunks and not self.problems:
            self._say(1, f"the patch has no hunk; {_HOW_TO}")
        return self.problems

    def _start_hunk(self, number: int, line: bytes) -> None:
        match = _HUNK.match(line)
        if match is None:
            self._say(number, "the head of a hunk has to read @@ -LINE,COUNT +LINE,COUNT @@")
            return
        if not self.file_named:
            self._say(number, "no file is named (--- a/FILE, +++ b/FILE) before this hunk")
        self.hunks += 1
        self.hunk_line = number
        self.old, self.new = (int(match[side] or 1) for side in ("old", "new"))

    def _in_hunk(self, number: int, line: bytes) -> None:
        kind = line[:1]
        if kind in {b" ", b"", b"\t", b"\r"}:  # editors take blanks off the end of a line
            self.old -= 1
            self.new -= 1
        elif kind == b"-":
            self.old -= 1
        elif kind == b"+":
            self.new -= 1
        elif kind != b"\\":
            self.old = self.new = 0
            self._say(number, f"the hunk of line {self.hunk_line} is cut short here")
        if self.old < 0 or self.new < 0:
            self.old = self.new = 0
            self._say(number, f"the hunk of line {self.hunk_line} is longer than its head says")

    def _between_hunks(self, number: int, line: bytes) -> None:
        form = _OTHER_FORMS.get(line.rstrip())
        if form:
            self._say(number, f"this is {form}; {_HOW_TO}")
        if line.startswith(b"diff --git "):
            for name in line.removeprefix(b"diff --git ").split(b" "):
                self._check_name(number, name)
        for start in _NAMES:
            if line.startswith(start):
                name = line.removeprefix(start).split(b"\t")[0].rstrip()
                self._check_name(number, name, prefixed=start in _WITH_PREFIX)
        if line.startswith(b"+++ "):
            self.file_named = True

    def _check_name(self, number: int, name: bytes, *, prefixed: bool = False) -> None:
        problem = _problem_of_name(name, prefixed=prefixed)
        if problem:
            self._say(number, f"{name.decode(errors='replace')!a} {problem}")

    def _say(self, number: int, text: str) -> None:
        self.problems.append((number, text))


def _problem_of_name(name: bytes, *, prefixed: bool) -> str:
    parts = [part for part in name.split(b"/") if part not in {b"", b"."}]
    if name == b"/dev/null":
        return ""
    if name.startswith(b'"'):
        return "is a file name in quotes, which is not taken; rename the file"
    if name.startswith(b"/") or b".." in parts:
        return "leads out of the package's folder"
    if prefixed and len(parts) < 2:
        return f"has no folder a/ or b/ before it, as patch -p1 wants; {_HOW_TO}"
    # The first part is what -p1 takes off, where there is one.
    if b".git" in parts or b".CI" in parts[:2]:
        return "is not for interfere to change"
    return ""
