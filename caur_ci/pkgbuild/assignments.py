"""Assignments, `declare` and its like, `unset`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.environment import machine_variable
from caur_ci.pkgbuild.syntax import line_of
from caur_ci.pkgbuild.values import Array, LostError, Shape, Unsure, UnsureError, Value
from caur_ci.pkgbuild.wordlist import words_of
from caur_ci.pkgbuild.words import Literal, Word

if TYPE_CHECKING:
    from tree_sitter import Node

    from caur_ci.pkgbuild.interpreter import Interpreter

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What bash reads differently once they are set, or makepkg after it has read the PKGBUILD.
_POWERFUL = frozenset({"POSIXLY_CORRECT", "GLOBIGNORE", "EXECIGNORE", "FUNCNEST", "IFS", "CARCH"})
# Of what makepkg sets, these change nothing about a .SRCINFO.
_HARMLESS = words_of("""
    CFLAGS CHOST COMPRESSGZ COMPRESSXZ COMPRESSZST CPPFLAGS CXXFLAGS DEBUG_CFLAGS DEBUG_CXXFLAGS
    DLAGENTS EDITOR GIT_LFS_SKIP_SMUDGE INTEGRITY_CHECK LDFLAGS LTOFLAGS MAKEFLAGS NINJAFLAGS
    OPTIONS PACKAGER PKGEXT PURGE_TARGETS RUSTFLAGS SRCEXT STRIP_BINARIES STRIP_SHARED STRIP_STATIC
    TMPDIR TZ _ DISTCC_HOSTS CCACHE_DISABLE GIT_TERMINAL_PROMPT BUILDENV arg func lib signal
    """)
_ELEMENT = re.compile(r"\[[^\]]*\]\+?=")
_BARE_FLAGS = frozenset("agrxn")


def check_name(shell: Interpreter, name: str) -> None:
    """Raise LostError where setting this variable changes how everything else is read."""
    if name in _POWERFUL or (machine_variable(name) is not None and name not in _HARMLESS):
        raise LostError(f"{name} is set, which bash or makepkg acts on", shell.line)


def assign_each(shell: Interpreter, node: Node) -> None:
    """Follow several assignments in one line."""
    captured = shell.captured
    for child in node.named_children:
        _assign(shell, child)
    if shell.captured == captured:
        shell.state.status = 0


def assign(shell: Interpreter, node: Node) -> None:
    """Follow `name=value`, `name+=value`, `name=(…)` or `name[index]=value`.

    The exit code is that of the last command in `$(…)`, if there is one.
    """
    captured = shell.captured
    _assign(shell, node)
    if shell.captured == captured:
        shell.state.status = 0


def _assign(shell: Interpreter, node: Node) -> None:
    target = node.child_by_field_name("name")
    if target is None:
        raise LostError("an assignment that is not understood", line_of(node))
    shell.line = line_of(node)
    if target.type == "subscript":
        _assign_element(shell, node, target)
        return
    name = shell.text_of(target)
    check_name(shell, name)
    value = assigned_value(shell, node, _current(shell, name))
    shell.state.assign(name, value, shell.line)


def assigned_value(shell: Interpreter, node: Node, old: Value | None) -> Value:
    """Return what an assignment gives; `old` is what `+=` adds to, None where that is not set."""
    appends = any(child.type == "+=" for child in node.children)
    value = node.child_by_field_name("value")
    is_array = value is not None and value.type == "array"
    try:
        if is_array and value is not None:
            fields = array_fields(shell, value)
            return _joined_array(shell, old, fields) if appends else Array.of(fields)
        text = "" if value is None else shell.expand.text(_value_word(shell, node, value))
        return _joined_text(shell, old, text) if appends else text
    except UnsureError as error:
        shell.forget_assigned(node, error)
        shape = Shape.ARRAY if is_array else Shape.TEXT
        return Unsure(error.reason, error.line or line_of(node), shape)


def array_fields(shell: Interpreter, node: Node) -> list[str]:
    """Return the elements that `(…)` stands for."""
    text = shell.tree.text
    if text[node.start_byte] != "(" or text[node.end_byte - 1] != ")":
        raise UnsureError("an array whose end is not clear")
    reader = shell.reader(node)
    reader.position += 1
    reader.end -= 1
    words: list[Word] = []
    reader.skip_blanks()
    while not reader.at_end():
        start = reader.position
        word = reader.word()
        if reader.position == start:
            raise UnsureError("an array that is not understood")
        if _ELEMENT.match(text, start):
            raise UnsureError("an array with given indices")
        words.append(word)
        reader.skip_blanks()
    return shell.expand.fields(words)


def declare(shell: Interpreter, node: Node) -> None:
    """Follow `declare`, `typeset`, `local`, `export` or `readonly`."""
    shell.line = line_of(node)
    command = node.children[0].type
    flags = set()
    targets: list[Node] = []
    for child in node.named_children:
        text = shell.text_of(child)
        if child.type == "word" and text.startswith(("-", "+")):
            flags |= set(text[1:]) if text.startswith("-") else {"+"}
        else:
            targets.append(child)
    for target in targets:
        _declare_one(shell, command, flags, target)
    shell.state.status = 0


def unset(shell: Interpreter, node: Node) -> None:
    """Follow `unset`."""
    functions = variables = False
    for child in node.named_children:
        text = shell.text_of(child)
        if text in {"-f", "-v"}:
            functions, variables = text == "-f", text == "-v"
        elif not _NAME.fullmatch(text) and not (functions and re.fullmatch(r"[\w.+@-]+", text)):
            raise LostError("what is unset is not plain", line_of(node))
        elif functions or (not variables and shell.state.find(text) is None):
            shell.state.functions.pop(text, None)
        else:
            check_name(shell, text)
            shell.state.unset(text, line_of(node))
    shell.state.status = 0


def _declare_one(shell: Interpreter, command: str, flags: set[str], target: Node) -> None:
    name_node = (
        target.child_by_field_name("name") if target.type == "variable_assignment" else target
    )
    name = shell.text_of(name_node) if name_node is not None else ""
    if not _NAME.fullmatch(name):
        raise LostError(f"what is given to {command} is not plain", shell.line)
    if flags & {"f", "F", "p", "n", "+"}:
        raise LostError(f"{command} with such flags is not modelled", shell.line)
    inside = len(shell.state.scopes) > 1
    is_local = command in {"local", "declare", "typeset"} and "g" not in flags and inside
    if "g" in flags and any(name in scope for scope in shell.state.scopes[1:]):
        raise LostError(f"{command} -g beside a local variable", shell.line)
    if target.type == "variable_assignment":
        _declare_assigned(shell, name, target, is_local=is_local)
    else:
        _declare_bare(shell, name, is_local=is_local, is_array="a" in flags)
    if flags - _BARE_FLAGS:
        check_name(shell, name)
        shell.make_opaque(name, UnsureError(f"the attributes of {name}"))
    if command == "readonly" or "r" in flags:
        shell.state.make_readonly(name, shell.line)


def _declare_assigned(shell: Interpreter, name: str, target: Node, *, is_local: bool) -> None:
    if not is_local:
        assign(shell, target)
        return
    # What is assigned is expanded before there is a variable of the function's own.
    check_name(shell, name)
    value = assigned_value(shell, target, _current_local(shell, name))
    shell.state.declare_local(name)
    shell.state.assign(name, value, shell.line)


def _declare_bare(shell: Interpreter, name: str, *, is_local: bool, is_array: bool) -> None:
    if is_local:
        shell.state.declare_local(name)
    if is_array and shell.state.find(name) is None:
        shell.state.assign(name, Array(), shell.line)


def _declare_text(shell: Interpreter, target: Node) -> None:
    """Follow `export "name=value"`."""
    try:
        name, equals, value = shell.expand.text(shell.word(target)).partition("=")
    except UnsureError as error:
        raise LostError(f"what is set is not known: {error.reason}", shell.line) from error
    if not equals or not _NAME.fullmatch(name):
        raise LostError("what is set is not plain", shell.line)
    shell.set_default(name, value)


def _current(shell: Interpreter, name: str) -> Value | None:
    variable = shell.state.find(name)
    return None if variable is None else variable.value


def _current_local(shell: Interpreter, name: str) -> Value | None:
    variable = shell.state.scopes[-1].get(name)
    return None if variable is None else variable.value


def _value_word(shell: Interpreter, node: Node, value: Node) -> Word:
    """Read the word of an assignment and see that the tree has the same end."""
    word = shell.word(value)
    operator = value.prev_sibling
    if operator is None or operator.end_byte != value.start_byte or value.end_byte != node.end_byte:
        raise UnsureError("an assignment whose extent is not clear")
    if any(isinstance(part, Literal) and not part.quoted and ":~" in part.text for part in word):
        raise UnsureError("a home folder")
    return word


def _joined_array(shell: Interpreter, old: Value | None, fields: list[str]) -> Value:
    if isinstance(old, Unsure):
        return old
    base = Array.of([old]) if isinstance(old, str) else old or Array()
    shell.budget.step(1 + len(base.items) // 8)
    return base.extended(fields)


def _joined_text(shell: Interpreter, old: Value | None, text: str) -> Value:
    if isinstance(old, Unsure):
        return old
    if isinstance(old, Array):
        shell.budget.step(1 + len(old.items) // 8)
        return old.with_item(0, (old.get(0) or "") + text)
    shell.budget.made(len(old or "") + len(text))
    return (old or "") + text


def _assign_element(shell: Interpreter, node: Node, target: Node) -> None:
    name_node = target.child_by_field_name("name")
    name = "" if name_node is None else shell.text_of(name_node)
    if not _NAME.fullmatch(name):
        raise LostError("an assignment that is not understood", shell.line)
    check_name(shell, name)
    try:
        value = _with_element(shell, node, _current(shell, name), target)
        shell.state.assign(name, value, shell.line)
    except UnsureError as error:
        shell.forget_assigned(node, error)
        shell.make_unsure(name, error, Shape.ARRAY)


def _with_element(shell: Interpreter, node: Node, old: Value | None, target: Node) -> Array:
    """Return an array with one more element, or another one."""
    if isinstance(old, Unsure):
        raise UnsureError(old.reason, old.line)
    index_node = target.child_by_field_name("index")
    if index_node is None or not shell.text_of(target).endswith("]"):
        raise UnsureError("an index that is not understood")
    index = shell.expand.arithmetic(shell.reader(index_node).quoted_text())
    base = Array.of([old]) if isinstance(old, str) else old or Array()
    value = assigned_value(shell, node, base.get(index))
    if not isinstance(value, str):
        raise UnsureError("an element that is not known")
    shell.budget.step(1 + len(base.items) // 8)
    return base.with_item(index, value)
