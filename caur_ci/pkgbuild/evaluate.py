"""What a PKGBUILD says once bash has read it, found without running it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.environment import makepkg_variables
from caur_ci.pkgbuild.interpreter import Interpreter
from caur_ci.pkgbuild.overrides import find_overrides
from caur_ci.pkgbuild.state import Function, State
from caur_ci.pkgbuild.values import Array, Budget, LostError, Unsure, Variable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from caur_ci.pkgbuild.syntax import SyntaxTree


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What bash would have after it has read a PKGBUILD within makepkg.

    `variables` are the global ones that the file sets, `functions` the lines where its functions
    are defined. `overrides` are, for each package, the fields that its package function sets, as
    makepkg reads them out of the function's text. Where `lost` is given nothing of it is sure, and
    `variables` is what was known until then.
    """

    variables: Mapping[str, Variable]
    functions: Mapping[str, int] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, Variable]] = field(default_factory=dict)
    lost: Unsure | None = None

    def value(self, name: str) -> str | Array | Unsure | None:
        """Return the value of a variable; None where it is not set."""
        if self.lost is not None:
            return self.lost
        variable = self.variables.get(name)
        return None if variable is None else variable.value

    def text(self, name: str) -> str | Unsure:
        """Return what `$name` stands for: text, the first element of an array, or nothing."""
        value = self.value(name)
        return (value.get(0) if isinstance(value, Array) else value) or ""

    def elements(self, name: str) -> tuple[str, ...] | Unsure:
        """Return the elements of `"${name[@]}"`."""
        value = self.value(name)
        if isinstance(value, Array):
            return value.values
        return value if isinstance(value, Unsure) else () if value is None else (value,)

    @property
    def packages(self) -> tuple[str, ...] | Unsure:
        """The names of the packages that it makes."""
        return self.elements("pkgname")

    @property
    def pkgbase(self) -> str | Unsure:
        """The pkgbase: as it is given, or the first package's name."""
        return self.text("pkgbase") or self.text("pkgname")


def evaluate(
    tree: SyntaxTree,
    *,
    carch: str = "x86_64",
    files: Collection[str] | None = None,
    budget: Budget | None = None,
) -> Evaluation:
    """Evaluate a PKGBUILD as makepkg's bash would, without running anything.

    `files` are the names in its folder, without which patterns of file names are unsure. The
    environment is taken to hold no variables that the PKGBUILD asks for.
    """
    state = State([dict(makepkg_variables(carch))])
    interpreter = Interpreter(tree, state, budget or Budget(), files)
    lost = None
    overrides: Mapping[str, Mapping[str, Variable]] = {}
    try:
        _check_syntax(tree)
        interpreter.run_all()
        _check_end(interpreter)
        overrides = find_overrides(interpreter)
    except LostError as error:
        lost = Unsure(error.reason, error.line or interpreter.line)
    except RecursionError:
        # Long chains of `elif` and the like; what is counted as depth stays well below.
        lost = Unsure("too many levels", interpreter.line)
    known = interpreter.state.scopes[0]
    return Evaluation(
        variables={
            name: variable
            for name, variable in known.items()
            if variable is not None and variable.line > 0
        },
        functions={
            name: function.line
            for name, function in interpreter.state.functions.items()
            if isinstance(function, Function)
        },
        overrides=overrides,
        lost=lost,
    )


def _check_syntax(tree: SyntaxTree) -> None:
    if tree.has_errors:
        raise LostError("the syntax is not understood", next(iter(tree.error_lines(1)), 1))


def _check_end(interpreter: Interpreter) -> None:
    """Raise LostError where makepkg would not go on, or would write something else as well."""
    state = interpreter.state
    if state.status != 0:
        raise LostError("its last command fails, or may fail, which makepkg refuses", 0)
    if interpreter.written != "":
        line = interpreter.written.line if isinstance(interpreter.written, Unsure) else 0
        raise LostError("it writes to standard output while it is read", line)
    if state.nounset:
        raise LostError("it leaves `set -u` behind", 0)
    for name, function in state.functions.items():
        if isinstance(function, Unsure):
            raise LostError(f"whether there is a function {name} is not known", function.line)
