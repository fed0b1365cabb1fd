"""Simple commands: bash's own, functions of the PKGBUILD, and programs, which are not run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.pkgbuild import conditions
from caur_ci.pkgbuild.evals import evaluate_text
from caur_ci.pkgbuild.filters import FILTERS, echo, formatted
from caur_ci.pkgbuild.jump import Jump
from caur_ci.pkgbuild.makepkg_names import BUILTINS, MAKEPKG_FUNCTIONS, PROGRAMS
from caur_ci.pkgbuild.syntax import line_of
from caur_ci.pkgbuild.values import LostError, Shape, Unsure, UnsureError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Node

    from caur_ci.pkgbuild.interpreter import Interpreter

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# They say something, as a rule on standard error, and change nothing.
_TELLING = frozenset({"msg", "msg2", "plain", "plainerr", "warning", "error"})
# What these change does not matter for variables: folders, jobs, limits.
_INDIFFERENT = frozenset(
    {"alias", "unalias", "hash", "type", "ulimit", "umask", "wait", "jobs", "help", "disown"}
)
_MODES = {"-u": True, "+u": False}


def command(shell: Interpreter, node: Node) -> None:
    """Follow a simple command."""
    redirects = [child for child in node.named_children if child.type.endswith("_redirect")]
    if redirects:
        shell.redirected(redirects, lambda: _command(shell, node))
    else:
        _command(shell, node)


def _command(shell: Interpreter, node: Node) -> None:
    shell.line = line_of(node)
    name = _name(shell, node)
    if name == "eval" and name not in shell.state.functions:
        evaluate_text(shell, node)
        return
    if any(child.type == "variable_assignment" for child in node.named_children):
        _with_assignments(shell, node, name)
        return
    try:
        arguments = shell.expand.fields(map(shell.word, node.children_by_field_name("argument")))
    except UnsureError as error:
        shell.forget_assigned(node, error)
        _unsure_arguments(shell, node, name, error)
        return
    _run(shell, name, arguments)


def _name(shell: Interpreter, node: Node) -> str:
    child = node.child_by_field_name("name")
    try:
        fields = [] if child is None else shell.expand.fields([shell.word(child)])
    except UnsureError as error:
        raise LostError(f"which command is run is not known: {error.reason}", shell.line) from error
    if len(fields) != 1:
        raise LostError("which command is run is not clear", shell.line)
    return fields[0]


def _with_assignments(shell: Interpreter, node: Node, name: str) -> None:
    """Follow `NAME=value command`, where the assignments are for the command only."""
    shell.forget_assigned(node, UnsureError("a command with variables of its own"))
    if name in shell.state.functions or not _is_program(name):
        if name == "read":
            _read(
                shell, [shell.text_of(child) for child in node.children_by_field_name("argument")]
            )
            return
        raise LostError(f"{name} with variables of its own is not modelled", shell.line)
    _program(shell, name, None)


def _unsure_arguments(shell: Interpreter, node: Node, name: str, error: UnsureError) -> None:
    function = shell.state.functions.get(name)
    if function is not None:
        if isinstance(function, Unsure):
            raise LostError(f"whether {name} is a function is not known", shell.line)
        shell.call(function, None)
    elif name in {":", "true", "echo", "printf", "[", "test", "cd"} | _INDIFFERENT | _TELLING:
        first = next(iter(node.children_by_field_name("argument")), None)
        if name == "printf" and first is not None and not _is_plain_format(shell.text_of(first)):
            raise LostError("a variable that printf sets is not known", shell.line)
        shell.state.status = 0 if name in {":", "true", "echo"} else None
        if name in {"echo", "printf"} | _TELLING:
            shell.wrote(None, error.reason)
    elif _is_program(name):
        _program(shell, name, None)
    else:
        raise LostError(f"{name}: {error.reason}", error.line or shell.line)


def _is_plain_format(text: str) -> bool:
    return not text.startswith(("-", "$", '"-', "'-", '"$'))


def _run(shell: Interpreter, name: str, arguments: list[str]) -> None:
    function = shell.state.functions.get(name)
    if isinstance(function, Unsure):
        raise LostError(f"whether {name} is a function is not known", shell.line)
    if function is not None:
        shell.call(function, arguments)
    elif name in _BUILTINS:
        _BUILTINS[name](shell, arguments)
    elif name in _INDIFFERENT or name in _TELLING:
        shell.state.status = None
        shell.wrote(None, f"what {name} writes")
    elif _is_program(name):
        _program(shell, name, arguments)
    else:
        raise LostError(f"{name} may change anything", shell.line)


def _is_program(name: str) -> bool:
    if name in BUILTINS or name in MAKEPKG_FUNCTIONS:
        return False
    # A name that begins so is none of makepkg's functions.
    return name in PROGRAMS or "/" in name or name.startswith("_")


def _program(shell: Interpreter, name: str, arguments: list[str] | None) -> None:
    shell.state.status = None
    text = None
    if name in FILTERS and arguments is not None and shell.stdin is not None:
        text = FILTERS[name](arguments, shell.stdin, shell.budget)
    if text is None:
        shell.wrote(None, f"what {name} writes")
    else:
        shell.state.status = 0
        shell.wrote(text)


def _true(shell: Interpreter, _arguments: Sequence[str]) -> None:
    shell.state.status = 0


def _false(shell: Interpreter, _arguments: Sequence[str]) -> None:
    shell.state.status = 1


def _echo(shell: Interpreter, arguments: Sequence[str]) -> None:
    try:
        shell.wrote(echo(arguments))
    except UnsureError as error:
        shell.wrote(None, error.reason)
    shell.state.status = 0


def _printf(shell: Interpreter, arguments: list[str]) -> None:
    target = ""
    if arguments[:1] == ["-v"]:
        target, arguments = arguments[1] if len(arguments) > 1 else "", arguments[2:]
        if not _NAME.fullmatch(target):
            raise LostError("what printf sets is not plain", shell.line)
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    shell.state.status = 0
    try:
        text = formatted(arguments, shell.budget)
    except UnsureError as error:
        shell.state.status = None
        if target:
            shell.make_unsure(target, error)
        else:
            shell.wrote(None, error.reason)
        return
    if target:
        shell.set_default(target, text)
    else:
        shell.wrote(text)


def _read(shell: Interpreter, arguments: list[str]) -> None:
    """Make unsure what `read` sets."""
    names: list[str] = []
    shape = Shape.TEXT
    waiting = iter(arguments)
    for argument in waiting:
        if argument.startswith("-") and len(argument) > 1:
            shape = Shape.OPAQUE if "a" in argument else shape
            if argument[-1] in "dinNptu":
                next(waiting, None)
        elif _NAME.fullmatch(argument):
            names.append(argument)
        else:
            raise LostError("what is read is not plain", shell.line)
    shell.state.status = None
    for name in names or ["REPLY"]:
        if name != "REPLY":
            shell.make_unsure(name, UnsureError("what `read` reads"), shape)


def _readarray(shell: Interpreter, arguments: list[str]) -> None:
    name = arguments[-1] if arguments else ""
    if not _NAME.fullmatch(name) or "-C" in arguments:
        raise LostError("what is read is not plain", shell.line)
    shell.state.status = None
    shell.make_opaque(name, UnsureError("what `readarray` reads"))


def _let(shell: Interpreter, arguments: list[str]) -> None:
    for argument in arguments:
        match = re.match(r"([A-Za-z_][A-Za-z0-9_]*)\s*[-+*/%&|^<>]{0,2}[=+-]", argument)
        if match is None:
            raise LostError("what `let` sets is not plain", shell.line)
        shell.make_unsure(match[1], UnsureError("what `let` computes"))
    shell.state.status = None


def _test(shell: Interpreter, arguments: list[str]) -> None:
    shell.state.status = conditions.plain_test(shell, arguments)


def _set(shell: Interpreter, arguments: list[str]) -> None:
    for argument in arguments:
        if argument not in _MODES:
            raise LostError(f"set {' '.join(arguments)[:40]} is not modelled", shell.line)
        shell.state.nounset = _MODES[argument]
    if not arguments:
        shell.wrote(None, "what set writes")
    shell.state.status = 0


def _cd(shell: Interpreter, _arguments: list[str]) -> None:
    shell.files = None
    shell.state.status = None


def _shift(shell: Interpreter, arguments: list[str]) -> None:
    count = arguments[0] if arguments else "1"
    positional = shell.state.positional
    if not count.isascii() or not count.isdigit() or len(count) > 4:
        raise LostError("shift by what is no number", shell.line)
    if positional is None:
        raise LostError("shift of what is not known", shell.line)
    if int(count) <= len(positional):
        shell.state.positional = positional[int(count) :]
        shell.state.status = 0
    else:
        shell.state.status = 1


def _jump(kind: str) -> Callable[[Interpreter, list[str]], None]:
    def jump(shell: Interpreter, arguments: list[str]) -> None:
        number = arguments[0] if arguments else ""
        if number and not re.fullmatch(r"[0-9]{1,3}", number):
            raise LostError(f"{kind} with what is no number", shell.line)
        if kind in {"return", "exit"}:
            if number:
                shell.state.status = int(number) & 0xFF
            raise Jump(kind)
        shell.state.status = 0
        raise Jump(kind, max(int(number or 1), 1))

    return jump


_BUILTINS: dict[str, Callable[[Interpreter, list[str]], None]] = {
    ":": _true,
    "true": _true,
    "false": _false,
    "echo": _echo,
    "printf": _printf,
    "read": _read,
    "readarray": _readarray,
    "mapfile": _readarray,
    "let": _let,
    "test": _test,
    "set": _set,
    "cd": _cd,
    "pushd": _cd,
    "popd": _cd,
    "shift": _shift,
    "return": _jump("return"),
    "exit": _jump("exit"),
    "break": _jump("break"),
    "continue": _jump("continue"),
}
