"""The PKGBUILD of a package before and after a change, read and evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from caur_ci.judge.package import PKGBUILD
from caur_ci.judge.script import Script
from caur_ci.judge.versions import Forms, Version, is_version_like
from caur_ci.pkgbuild import Evaluation, evaluate
from caur_ci.pkgbuild.values import Array, Unsure

if TYPE_CHECKING:
    from collections.abc import Collection

    from caur_ci.pkgbuild.values import Value

VERSION = ("pkgver", "pkgrel", "epoch")
_SUM = re.compile(r"[0-9a-fA-F]{32,128}")


@dataclass(frozen=True, slots=True)
class Side:
    """A PKGBUILD and what it says."""

    script: Script
    evaluation: Evaluation

    @classmethod
    def of(cls, data: bytes, files: Collection[str]) -> Side:
        """Read a PKGBUILD. Raises UnparsableError."""
        script = Script(data, origin=PKGBUILD)
        return cls(script, evaluate(script.tree, files=files))

    def value(self, name: str) -> Value | None:
        """Return a variable's value; None where it is not set."""
        return self.evaluation.value(name)

    def elements(self, name: str) -> tuple[str, ...]:
        """Return the elements of an array, text as one; nothing where they are not sure."""
        value = self.value(name)
        return () if value is None or isinstance(value, Unsure) else elements_of(value)

    def text(self, name: str) -> str:
        """Return what `$name` stands for; nothing where it is not sure."""
        value = self.evaluation.text(name)
        return value if isinstance(value, str) else ""

    def line(self, name: str) -> int:
        """Return the line that gives a variable its value, 0 where there is none."""
        variable = self.evaluation.variables.get(name)
        return 0 if variable is None else variable.line

    @property
    def version(self) -> Version:
        """The version that stands in the file."""
        return Version(*map(self.text, VERSION))


class Pair:
    """Both PKGBUILDs. `moving` are the names of what goes with the version."""

    def __init__(self, old: Side, new: Side) -> None:
        self.old, self.new = old, new
        self.rises = new.version.compare(old.version) > 0
        values = {
            name: (before, after)
            for name in self.names
            if name not in VERSION
            and isinstance(before := old.value(name), str)
            and isinstance(after := new.value(name), str)
            and before != after
            and is_version_like(name, before, after)
        }
        self.moving = {*VERSION, *values}
        self.forms = Forms.of(old.version, new.version, values if self.rises else {})
        for side in (old, new):
            side.script.know(side.evaluation.variables, self.moving)

    @property
    def is_lost(self) -> bool:
        """Whether what one of the files says cannot be told at all."""
        return self.old.evaluation.lost is not None or self.new.evaluation.lost is not None

    @cached_property
    def names(self) -> list[str]:
        """The variables that one of the files sets at top level, in the order of the new file."""
        found = (*self.new.evaluation.variables, *self.old.evaluation.variables)
        written = (*self.new.script.assignments, *self.old.script.assignments)
        return list(dict.fromkeys((*found, *written)))

    def same_text(self, name: str) -> bool:
        """Tell whether a variable is set by the same words, layout and quotes aside."""
        return self._tokens(self.old, name) == self._tokens(self.new, name)

    def new_tokens(self, name: str) -> list[tuple[str, ...]]:
        """Return the assignments to a variable that the old file does not have."""
        old = self._tokens(self.old, name)
        return [tokens for tokens in self._tokens(self.new, name) if tokens not in old]

    @cached_property
    def is_set_once(self) -> bool:
        """Whether whatever goes with the version is set in one place only, in both files."""
        return all(
            len(side.script.assignments.get(name, ())) <= 1
            for side in (self.old, self.new)
            for name in self.moving
        )

    def follows(self, name: str, old: Value, new: Value) -> bool:
        """Tell whether a value differs by what goes with the version only."""
        if not self.rises:
            return False
        if self.is_set_once and self.same_text(name):
            return True
        before, after = elements_of(old), elements_of(new)
        same_kind = isinstance(old, Array) == isinstance(new, Array)
        return (
            same_kind
            and len(before) == len(after)
            and all(self.forms.same(was, it) for was, it in zip(before, after, strict=True))
        )

    @staticmethod
    def _tokens(side: Side, name: str) -> list[tuple[str, ...]]:
        return [side.script.tokens(node) for node in side.script.assignments.get(name, ())]


def elements_of(value: Value) -> tuple[str, ...]:
    """Return the elements of a value that is known."""
    if isinstance(value, Unsure):
        return ()
    return value.values if isinstance(value, Array) else (value,)


def are_sums(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """Tell whether both are checksums, place for place of the same strength."""
    return len(old) == len(new) and all(
        was == it or (len(was) == len(it) and _SUM.fullmatch(was) and _SUM.fullmatch(it))
        for was, it in zip(old, new, strict=True)
    )
