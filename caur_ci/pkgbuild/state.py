"""The variables and functions of a shell while a PKGBUILD is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.environment import machine_variable
from caur_ci.pkgbuild.values import (
    Array,
    LostError,
    Shape,
    Unsure,
    UnsureError,
    Value,
    Variable,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from caur_ci.pkgbuild.syntax import SyntaxTree


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its body in a tree, and the line where it is defined."""

    body: Node
    line: int
    tree: SyntaxTree


@dataclass(slots=True)
class State:
    """Everything that a command may change.

    `scopes` holds the global variables, then the local ones of each running function; a variable
    that is unset stands there as None. A function that is not surely there is Unsure. `positional`
    is None where not known, `status` the exit code of the last command, None where not known.
    With `nounset` (`set -u`), a variable that is not set ends everything.
    """

    scopes: list[dict[str, Variable | None]]
    functions: dict[str, Function | Unsure] = field(default_factory=dict)
    positional: tuple[str, ...] | None = None
    status: int | None = 0
    nounset: bool = False

    def copy(self) -> State:
        """Return a state that can be changed without changing this one."""
        return replace(self, scopes=list(map(dict, self.scopes)), functions=dict(self.functions))

    def find(self, name: str) -> Variable | None:
        """Return a variable, the innermost of its name; None where it is not set."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return machine_variable(name)

    def value(self, name: str) -> str | Array | None:
        """Return a variable's value, None where it is not set, or raise UnsureError."""
        variable = self.find(name)
        if variable is None:
            return None
        if isinstance(variable.value, Unsure):
            raise UnsureError(variable.value.reason, variable.value.line)
        return variable.value

    def assign(self, name: str, value: Value, line: int) -> None:
        """Set a variable where it is, or a global one, as bash does.

        What it was decides what comes of it: text that is given to an array becomes its first
        element.

        Raises LostError.
        """
        variable = self.find(name)
        if variable is not None:
            if variable.readonly:
                raise LostError(f"{name} is set though it is read-only", line)
            value = _assigned(variable.value, value)
        self._scope_of(name)[name] = Variable(value, line)

    def declare_local(self, name: str) -> None:
        """Make a variable of the running function's own, not set yet."""
        self.scopes[-1].setdefault(name, None)

    def unset(self, name: str, line: int) -> None:
        """Unset a variable. Raises LostError."""
        variable = self.find(name)
        if variable is not None and variable.readonly:
            raise LostError(f"{name} is unset though it is read-only", line)
        self._scope_of(name)[name] = None

    def make_readonly(self, name: str, line: int) -> None:
        """Let nobody change a variable any more."""
        variable = self.find(name) or Variable(Unsure("read-only and not set", line), line)
        self._scope_of(name)[name] = replace(variable, readonly=True)

    def _scope_of(self, name: str) -> dict[str, Variable | None]:
        return next((scope for scope in reversed(self.scopes) if name in scope), self.scopes[0])

    def merge(self, other: State, reason: str, line: int) -> None:
        """Keep what is the same in both; what differs is unsure from here on."""
        for scope, others in zip(self.scopes, other.scopes, strict=True):
            for name in scope.keys() | others.keys():
                absent = machine_variable(name)
                mine, theirs = scope.get(name, absent), others.get(name, absent)
                if mine != theirs:
                    scope[name] = _either(mine, theirs, reason, line)
        for function in self.functions.keys() | other.functions.keys():
            if self.functions.get(function) != other.functions.get(function):
                self.functions[function] = Unsure(reason, line, Shape.OPAQUE)
        if self.status != other.status:
            self.status = None
        if self.nounset != other.nounset:
            raise LostError(reason, line)


def _assigned(old: Value, new: Value) -> Value:
    if isinstance(old, Unsure) and old.shape is Shape.OPAQUE:
        return old
    if isinstance(old, Array) and isinstance(new, str):
        return old.with_item(0, new)
    if isinstance(old, Array) and isinstance(new, Unsure):
        return replace(new, shape=Shape.ARRAY)
    if isinstance(old, Unsure) and old.shape is Shape.ARRAY and not isinstance(new, Array):
        return old
    return new


def _either(mine: Variable | None, theirs: Variable | None, reason: str, line: int) -> Variable:
    if mine is not None and theirs is not None and mine.value == theirs.value:
        if mine.readonly == theirs.readonly:
            return max(mine, theirs, key=lambda variable: variable.line)
        return Variable(Unsure(reason, line, Shape.OPAQUE), line)
    shapes = {_shape(variable.value) for variable in (mine, theirs) if variable is not None}
    shape = shapes.pop() if len(shapes) == 1 else Shape.OPAQUE
    readonly = any(variable is not None and variable.readonly for variable in (mine, theirs))
    return Variable(Unsure(reason, line, shape), line, readonly)


def _shape(value: Value) -> Shape:
    if isinstance(value, Unsure):
        return value.shape
    return Shape.ARRAY if isinstance(value, Array) else Shape.TEXT
