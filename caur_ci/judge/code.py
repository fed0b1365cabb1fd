"""What code does that it did not do before."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from caur_ci.judge.catalogue import finding
from caur_ci.judge.powers import PKGVER, powers_of, text_powers, writes_outside
from caur_ci.judge.script import walk
from caur_ci.pkgbuild.syntax import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

    from caur_ci.judge.model import Finding
    from caur_ci.judge.script import Code, Script
    from caur_ci.judge.versions import Forms

# More than these of one kind say nothing more.
_MOST_ALIKE = 5


class NewCode:
    """Looks for what is new in one file. `place` is a function's name, empty at top level."""

    def __init__(self, file: str, old: Script | None, new: Script, forms: Forms) -> None:
        self._file, self._old, self._new, self._forms = file, old, new, forms

    def findings(
        self, place: str, old: Sequence[Node], new: Sequence[Node], *, installs: bool = False
    ) -> Iterator[Finding]:
        """Yield what the nodes of the new file do that those of the old one did not.

        `installs` says that this runs as root on the system where it is installed, which is where
        it writes to.
        """
        counts: Counter[tuple[str, str]] = Counter()
        for code, line, what, text in self._found(place, old, new, installs=installs):
            counts[code, what] += 1
            counts[code, ""] += 1
            if counts[code, what] == 1 and counts[code, ""] <= _MOST_ALIKE:
                yield finding(code, file=self._file, line=line, new=text, what=what)

    def _found(
        self, place: str, old: Sequence[Node], new: Sequence[Node], *, installs: bool
    ) -> Iterator[tuple[str, int, str, str]]:
        known = Counter(self._forms.old(it.text) for node in old for it in self._commands(node))
        for node in new:
            for command in self._new.commands(node):
                key = self._forms.new(command.text)
                if known[key] > 0:
                    known[key] -= 1
                    continue
                for code, what in powers_of(command, place):
                    if not (installs and code == "write-outside"):
                        yield code, command.line, what, command.written
        yield from self._about_nodes(place, old, new, installs=installs)
        yield from self._about_lines(old, new)

    def _commands(self, node: Node) -> list[Code]:
        return [] if self._old is None else self._old.commands(node)

    def _about_nodes(
        self, place: str, old: Sequence[Node], new: Sequence[Node], *, installs: bool
    ) -> Iterator[tuple[str, int, str, str]]:
        """Yield what redirections, substitutions and functions inside of functions do."""
        before = Counter(
            (node.type, self._old.text(node))
            for nodes in old
            for node in walk(nodes)
            if self._old is not None
        )
        for top in new:
            for node in walk(top):
                text = self._new.text(node)
                if node.type == "process_substitution":
                    code = "process-substitution"
                elif node.type == "file_redirect":
                    code = self._about_redirect(place, node, installs=installs)
                else:
                    continue
                if code and not before[node.type, text]:
                    yield code, line_of(node), text, text

    def _about_redirect(self, place: str, node: Node, *, installs: bool) -> str:
        destination = node.child_by_field_name("destination")
        if destination is None or not any(">" in child.type for child in node.children):
            return ""
        target = self._new.decoded(destination)
        if "/dev/tcp/" in target or "/dev/udp/" in target:
            return "network-used"
        if writes_outside(target) and not installs:
            return "write-outside"
        descriptor = target.isdigit() or target == "-" or target.startswith("/dev/")
        return "pkgver-acts" if place == PKGVER and not descriptor else ""

    def _about_lines(
        self, old: Sequence[Node], new: Sequence[Node]
    ) -> Iterator[tuple[str, int, str, str]]:
        """Yield what new lines hold, wherever in the syntax it is: here-documents, words."""
        before = Counter(
            self._forms.old(line.strip())
            for node in old
            if self._old is not None
            for line in self._old.text(node).split("\n")
        )
        for node in new:
            for number, line in enumerate(self._new.text(node).split("\n"), line_of(node)):
                if line.strip().startswith("#") or before[self._forms.new(line.strip())]:
                    continue
                for code, what in text_powers(line):
                    yield code, number, what, line
