"""Libraries and programs that a real compiler makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PROGRAMS = {"c": "gcc", "c++": "g++"}


@dataclass(frozen=True)
class Compiler:
    """Compiles small texts in a folder of its own."""

    folder: Path

    def library(
        self, soname: str, text: str, *options: str | Path, language: str = "c", file: str = ""
    ) -> Path:
        """Make a library, called `file` or else as its soname, and return where it is."""
        flags = ["-shared", "-fPIC", *([f"-Wl,-soname,{soname}"] if soname else ())]
        return self._compile(file or soname, text, language, [*flags, *options])

    def program(self, name: str, text: str, *options: str | Path, language: str = "c") -> Path:
        """Make a program and return where it is."""
        return self._compile(name, text, language, options)

    def _compile(self, name: str, text: str, language: str, options: Sequence[str | Path]) -> Path:
        source, made = self.folder / f"{name}.source", self.folder / name
        source.write_text(text, encoding="utf-8")
        words: list[str | Path] = [_PROGRAMS[language], "-x", language, source, "-x", "none"]
        run([*words, "-o", made, *options], cwd=self.folder)
        return made
