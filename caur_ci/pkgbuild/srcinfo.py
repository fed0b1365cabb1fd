"""The `.SRCINFO` of an evaluated PKGBUILD, as `makepkg --printsrcinfo` writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.pkgbuild.refusals import refusals
from caur_ci.pkgbuild.schema import (
    BASE_ARRAYS,
    BASE_STRINGS,
    BY_ARCHITECTURE,
    PACKAGE_ARRAYS,
    PACKAGE_STRINGS,
    STRINGS,
)
from caur_ci.pkgbuild.values import Array, Unsure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.pkgbuild.evaluate import Evaluation

_BLANKS = re.compile(r"[ \t\n\v\f\r]+")
# Not among them for the C library, though Python thinks so.
_NO_BREAK = frozenset("\u00a0\u2007\u202f")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A field of the `.SRCINFO` that is not sure, with the line and the reason.

    `package` is empty for the pkgbase, `field` where it is the whole file.
    """

    field: str
    line: int
    reason: str
    package: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        field = f"{self.package}: {self.field}" if self.package else self.field
        return f"{place}{field}: {self.reason}" if field else f"{place}{self.reason}"


@dataclass(frozen=True, slots=True)
class Section:
    """The part of a `.SRCINFO` for the pkgbase, or for one of its packages."""

    kind: str
    name: str
    fields: tuple[tuple[str, tuple[str, ...]], ...]


def doubts(evaluation: Evaluation) -> list[Doubt]:
    """Return what is not sure of all that enters the `.SRCINFO`; nothing where all of it is."""
    if evaluation.lost is not None:
        return [Doubt("", evaluation.lost.line, evaluation.lost.reason)]
    found = [
        Doubt(name, unsure.line, unsure.reason)
        for name in ("pkgname", "pkgbase")
        if isinstance(unsure := evaluation.value(name), Unsure)
    ]
    found += _unsure_fields(evaluation)
    found = list(dict.fromkeys(found))
    if found:
        return found
    return [Doubt(*refusal) for refusal in refusals(evaluation)]


def render_srcinfo(evaluation: Evaluation) -> bytes:
    """Return the `.SRCINFO`, to the byte as makepkg writes it.

    Raises InputError where it is not sure (see `doubts`).
    """
    if unsure := doubts(evaluation):
        raise InputError(f"the .SRCINFO cannot be told from the PKGBUILD: {unsure[0]}")
    lines: list[str] = []
    for section in sections(evaluation):
        if lines:
            lines.append("")
        lines.append(f"{section.kind} = {section.name}")
        for name, values in section.fields:
            lines += [f"\t{name} = {value}" for value in values or ("",)]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def sections(evaluation: Evaluation) -> list[Section]:
    """Return the sections of the `.SRCINFO` of an evaluation that is sure."""
    names, base = evaluation.packages, evaluation.pkgbase
    if isinstance(names, Unsure) or isinstance(base, Unsure):
        return []
    found = [Section("pkgbase", base, tuple(_base_fields(evaluation)))]
    found += [Section("pkgname", name, tuple(_package_fields(evaluation, name))) for name in names]
    return found


def _base_fields(evaluation: Evaluation) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in _base_names(evaluation):
        value = evaluation.value(name)
        if name in STRINGS:
            value = evaluation.text(name)
            if isinstance(value, str) and value:
                yield name, (_normal(value),)
        elif isinstance(value, Array) and value.items:
            yield name, tuple(map(_normal, value.values))


def _package_fields(evaluation: Evaluation, package: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    overrides = evaluation.overrides.get(package, {})
    for name in _package_names(evaluation, package):
        if name not in overrides:
            continue
        value = overrides[name].value
        if isinstance(value, str):
            yield name, (_normal(value),)
        elif isinstance(value, Array):
            yield name, tuple(map(_normal, value.values))


def _base_names(evaluation: Evaluation) -> Iterator[str]:
    yield from BASE_STRINGS
    yield from BASE_ARRAYS
    yield from _with_architectures(evaluation.elements("arch"))


def _package_names(evaluation: Evaluation, package: str) -> Iterator[str]:
    yield from PACKAGE_STRINGS
    yield from PACKAGE_ARRAYS
    own = evaluation.overrides.get(package, {}).get("arch")
    arch = evaluation.elements("arch")
    if own is not None:
        arch = own.value.values if isinstance(own.value, Array) else ()
    yield from _with_architectures(arch)


def _with_architectures(arch: tuple[str, ...] | Unsure) -> Iterator[str]:
    for name in () if isinstance(arch, Unsure) else arch:
        if name != "any":
            yield from (f"{field}_{name}" for field in BY_ARCHITECTURE)


def _unsure_fields(evaluation: Evaluation) -> Iterator[Doubt]:
    for name in _base_names(evaluation):
        yield from _doubt(name, evaluation.value(name), _line(evaluation, name))
    names = evaluation.packages
    for package in () if isinstance(names, Unsure) else names:
        for name in _package_names(evaluation, package):
            override = evaluation.overrides.get(package, {}).get(name)
            if override is not None:
                yield from _doubt(name, override.value, override.line, package)


def _doubt(
    name: str, value: str | Array | Unsure | None, line: int, package: str = ""
) -> Iterator[Doubt]:
    if isinstance(value, Unsure):
        yield Doubt(name, value.line or line, value.reason, package)
        return
    values = value.values if isinstance(value, Array) else (value or "",)
    if any(_has_odd_blanks(text) for text in values):
        yield Doubt(name, line, "white space other than ASCII", package)


def _line(evaluation: Evaluation, name: str) -> int:
    variable = evaluation.variables.get(name)
    return 0 if variable is None else variable.line


def _has_odd_blanks(text: str) -> bool:
    return not text.isascii() and any(
        char.isspace() and char not in _NO_BREAK and not char.isascii() for char in text
    )


def _normal(value: str) -> str:
    """Return a value with its white space as makepkg writes it."""
    value = _BLANKS.sub(" ", value)
    return value.removeprefix(" ").removesuffix(" ")
