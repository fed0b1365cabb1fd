"""The functions of a PKGBUILD, and what it does at top level."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from caur_ci.judge import words
from caur_ci.judge.catalogue import finding
from caur_ci.judge.code import NewCode
from caur_ci.judge.package import PKGBUILD
from caur_ci.judge.powers import TOP
from caur_ci.judge.script import walk
from caur_ci.pkgbuild.makepkg_names import BUILTINS, MAKEPKG_FUNCTIONS, PROGRAMS
from caur_ci.pkgbuild.syntax import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

    from caur_ci.judge.model import Finding
    from caur_ci.judge.pair import Pair, Side

_COMMANDS = BUILTINS | PROGRAMS | MAKEPKG_FUNCTIONS | words.NETWORK | words.SHELLS | words.CHANGERS
_MENTIONED = re.compile(r"\$\{?[!#]?([A-Za-z_]\w*)")
# They look at something and change nothing.
_LOOKING = frozenset({"[", "test", "true", "false", ":", "[["})
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})


def judge_functions(pair: Pair) -> Iterator[Finding]:
    """Yield what changed in functions."""
    old, new = pair.old.script, pair.new.script
    code = NewCode(PKGBUILD, old, new, pair.forms)
    for name in dict.fromkeys((*new.functions, *old.functions)):
        before, after = old.functions.get(name, []), new.functions.get(name, [])
        if same_code(pair, before, after):
            continue
        if not after:
            yield finding("function-removed", file=PKGBUILD, line=line_of(before[0]), what=name)
            continue
        line = line_of(after[0])
        kind = "function-changed" if before else "function-added"
        yield finding(kind, file=PKGBUILD, line=_changed_line(pair, before, after), what=name)
        if not before and name in _COMMANDS:
            yield finding("command-shadowed", file=PKGBUILD, line=line, what=name)
        yield from code.findings(name, before, after)


def same_code(pair: Pair, before: Sequence[Node], after: Sequence[Node]) -> bool:
    """Tell whether two rows of nodes do the same, but for what follows the version."""
    if len(before) != len(after):
        return False
    for old, new in zip(before, after, strict=True):
        if pair.old.script.text(old) == pair.new.script.text(new):
            continue
        if not _same_tokens(pair, pair.old.script.tokens(old), pair.new.script.tokens(new)):
            return False
    return True


def _same_tokens(pair: Pair, old: Sequence[str], new: Sequence[str]) -> bool:
    if len(old) != len(new):
        return False
    return all(
        was == it or (pair.rises and _is_of_version(was) and pair.forms.same(was, it))
        for was, it in zip(old, new, strict=True)
    )


def _is_of_version(token: str) -> bool:
    """Tell whether a version within a word is surely one: 755 may be a mode."""
    return re.search(r"[0-9][._-][0-9]", token) is not None


def _changed_line(pair: Pair, before: Sequence[Node], after: Sequence[Node]) -> int:
    """Return the first line that the old function does not have."""
    had = Counter(
        line.strip() for node in before for line in pair.old.script.text(node).split("\n")
    )
    for node in after:
        for number, line in enumerate(pair.new.script.text(node).split("\n"), line_of(node)):
            had[line.strip()] -= 1
            if had[line.strip()] < 0:
                return number
    return line_of(after[0])


def judge_top_level(pair: Pair) -> Iterator[Finding]:
    """Yield what changed outside of functions, but for assignments."""
    old, new = pair.old.script, pair.new.script
    before, after = old.rest, new.rest
    if _in_order(pair, before, after):
        return
    code = NewCode(PKGBUILD, old, new, pair.forms)
    known = Counter(map(old.tokens, before))
    added = []
    for node in after:
        tokens = new.tokens(node)
        known[tokens] -= 1
        if known[tokens] < 0:
            added.append(node)
    for node in added:
        kind = "top-level-condition" if _only_looks(pair.new, node) else "top-level-code"
        text = new.text(node)
        yield finding(kind, file=PKGBUILD, line=line_of(node), new=text, what=text)
    yield from code.findings(TOP, before, added)
    if not added:
        gone = next((node for node in before if known[old.tokens(node)] > 0), None)
        what = "the order" if gone is None else old.text(gone)
        line = line_of(after[0]) if gone is None else line_of(gone)
        yield finding("top-level-changed", file=PKGBUILD, line=line, what=what)


def judge_substitutions(pair: Pair) -> Iterator[Finding]:
    """Yield the commands that are new in assignments at top level."""
    old, new = pair.old.script, pair.new.script
    code = NewCode(PKGBUILD, old, new, pair.forms)
    for name, nodes in new.assignments.items():
        fresh = pair.new_tokens(name)
        if not fresh:
            continue
        had = {
            old.tokens(inner)
            for node in old.assignments.get(name, ())
            for inner in walk(node)
            if inner.type in _SUBSTITUTIONS
        }
        for node in nodes:
            for inner in walk(node):
                if inner.type in _SUBSTITUTIONS and new.tokens(inner) not in had:
                    kind = inner.type.replace("_", "-")
                    if kind == "command-substitution" and _only_computes(pair.new, inner):
                        kind = "value-computed"
                    text = new.text(inner)
                    yield finding(kind, file=PKGBUILD, line=line_of(inner), new=text, what=text)
                    yield from code.findings(TOP, (), [inner])


def _in_order(pair: Pair, before: Sequence[Node], after: Sequence[Node]) -> bool:
    """Tell whether the same is done in the same order, with the same variables set before it."""
    if len(before) != len(after) or not same_code(pair, before, after):
        return False
    return all(
        _set_before(pair.old, was) == _set_before(pair.new, it)
        for was, it in zip(before, after, strict=True)
    )


def _set_before(side: Side, node: Node) -> set[str]:
    """Return the variables that are set before a statement which may use them."""
    text = side.script.text(node)
    mentioned = None if not _only_looks(side, node) else set(_MENTIONED.findall(text))
    return {
        name
        for name, nodes in side.script.assignments.items()
        if nodes[0].start_byte < node.start_byte and (mentioned is None or name in mentioned)
    }


def _only_looks(side: Side, node: Node) -> bool:
    """Tell whether a statement runs no command that could do anything."""
    return all(
        (at.type != "command" or command_name(side, at) in _LOOKING)
        and at.type not in _SUBSTITUTIONS
        and at.type not in {"function_definition", "file_redirect"}
        and not (at.type == "declaration_command" and " -" in side.script.text(at))
        for at in walk(node)
    )


def _only_computes(side: Side, node: Node) -> bool:
    """Tell whether the commands in a substitution make text of text, and no more."""
    names = [code.name for code in side.script.commands(node)]
    return all(name in words.FILTERS for name in names) and not any(
        at.type in {"file_redirect", "process_substitution"} for at in walk(node)
    )


def command_name(side: Side, node: Node) -> str:
    """Return the name of a command."""
    return next((code.name for code in side.script.commands(node)), "")
