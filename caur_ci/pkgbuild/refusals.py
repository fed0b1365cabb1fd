"""What makepkg refuses to write a `.SRCINFO` of, as far as it can be told from the PKGBUILD."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from caur_ci.names import is_package_name
from caur_ci.pkgbuild.schema import ARRAYS, BY_ARCHITECTURE, OPTIONS, OVERRIDES, STRINGS
from caur_ci.pkgbuild.values import Array, Unsure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.pkgbuild.evaluate import Evaluation

_PKGVER = re.compile(r"[!-,.0-9;-~]+")
_PKGREL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
# makepkg 7 takes sonames with a prefix, `lib:libx.so.1`.
_RELATION = re.compile(
    r"(?:[A-Za-z0-9_]+:)?[A-Za-z0-9@_+][A-Za-z0-9@._+-]*"
    r"(?:(?P<by><=|>=|<|=|>)(?:(?:[0-9]+:)?[!-,.0-9;-~]+(?:-[0-9]+(?:\.[0-9]+)?)?)?)?"
)
_RELATIONS = frozenset(
    {
        *("depends", "makedepends", "checkdepends", "optdepends"),
        *("provides", "conflicts", "replaces"),
    }
)
_ARCHITECTURE = re.compile(r"[A-Za-z0-9_]+")


class Refusal(NamedTuple):
    """A field that makepkg does not accept, the line and why; `package` as in a section."""

    field: str
    line: int
    reason: str
    package: str = ""


def refusals(evaluation: Evaluation) -> list[Refusal]:
    """Return what makepkg's checks refuse; the evaluation has to be sure."""
    return [
        *_versions(evaluation),
        *_names(evaluation),
        *_kinds(evaluation),
        *_architectures(evaluation),
        *_functions(evaluation),
        *_overrides(evaluation),
        *_contents(evaluation),
        *_relations(evaluation),
    ]


def _line(evaluation: Evaluation, name: str) -> int:
    variable = evaluation.variables.get(name)
    return 0 if variable is None else variable.line


def _versions(evaluation: Evaluation) -> Iterator[Refusal]:
    for name, pattern in (("pkgver", _PKGVER), ("pkgrel", _PKGREL), ("epoch", r"[0-9]*")):
        text = evaluation.text(name)
        if isinstance(text, str) and not re.fullmatch(pattern, text):
            yield Refusal(name, _line(evaluation, name), "is no such thing")


def _names(evaluation: Evaluation) -> Iterator[Refusal]:
    names = _known(evaluation.packages)
    if not names:
        yield Refusal("pkgname", 0, "is not set")
    for name in (*names, evaluation.pkgbase):
        if isinstance(name, str) and not is_package_name(name):
            yield Refusal("pkgname", _line(evaluation, "pkgname"), f"{name!r} is no name")


def _kinds(evaluation: Evaluation) -> Iterator[Refusal]:
    for name, variable in evaluation.variables.items():
        base, _, arch = name.partition("_")
        if name in STRINGS and isinstance(variable.value, Array):
            yield Refusal(name, variable.line, "should not be an array")
        elif isinstance(variable.value, str) and (
            name in ARRAYS
            or (base in BY_ARCHITECTURE and arch in _known(evaluation.elements("arch")))
        ):
            yield Refusal(name, variable.line, "should be an array")


def _architectures(evaluation: Evaluation) -> Iterator[Refusal]:
    names = _known(evaluation.elements("arch"))
    line = _line(evaluation, "arch")
    if "any" in names and len(names) > 1:
        yield Refusal("arch", line, "has `any` beside others")
    if any(not _ARCHITECTURE.fullmatch(name) for name in names):
        yield Refusal("arch", line, "has a name that is none")
    for field in (*ARRAYS, *STRINGS):
        for name in names:
            variable = evaluation.variables.get(f"{field}_{name}")
            if variable is not None and (name == "any" or field not in BY_ARCHITECTURE):
                yield Refusal(f"{field}_{name}", variable.line, "cannot be for one architecture")


def _functions(evaluation: Evaluation) -> Iterator[Refusal]:
    names, functions = _known(evaluation.packages), evaluation.functions
    own = [name for name in names if f"package_{name}" in functions]
    if len(names) == 1:
        if own and "package" in functions:
            yield Refusal("package", functions["package"], "is there twice")
        elif "build" in functions and not own and "package" not in functions:
            yield Refusal("package", functions["build"], "is missing")
    elif "package" in functions:
        yield Refusal("package", functions["package"], "is one function for several packages")
    elif len(own) < len(names):
        missing = next(name for name in names if name not in own)
        yield Refusal(f"package_{missing}", 0, "is missing")


def _overrides(evaluation: Evaluation) -> Iterator[Refusal]:
    architectures = _known(evaluation.elements("arch"))
    for package, fields in evaluation.overrides.items():
        for name, variable in fields.items():
            base, _, arch = name.partition("_")
            known = name in ARRAYS or name in STRINGS or arch in architectures
            allowed = base in OVERRIDES - {"checkdepends"}
            if known and not allowed:
                yield Refusal(name, variable.line, "cannot be set by a package function", package)
            elif arch == "any" or (arch and arch in architectures and base not in BY_ARCHITECTURE):
                yield Refusal(name, variable.line, "cannot be for one architecture", package)
            elif isinstance(variable.value, Unsure) and name not in ARRAYS:
                yield Refusal(name, variable.line, variable.value.reason, package)


def _contents(evaluation: Evaluation) -> Iterator[Refusal]:
    for name, check in (("options", _is_option), ("backup", _is_relative)):
        given = [("", name, evaluation.variables.get(name))]
        given += [(pkg, name, fields.get(name)) for pkg, fields in evaluation.overrides.items()]
        for package, field, variable in given:
            if variable is not None and isinstance(variable.value, Array):
                for text in variable.value.values:
                    if not check(text):
                        yield Refusal(field, variable.line, f"{text!r} is not allowed", package)


def _relations(evaluation: Evaluation) -> Iterator[Refusal]:
    given = [("", name, variable) for name, variable in evaluation.variables.items()]
    for package, fields in evaluation.overrides.items():
        given += [(package, name, variable) for name, variable in fields.items()]
    for package, name, variable in given:
        base = name.partition("_")[0]
        if base not in _RELATIONS or not isinstance(variable.value, Array):
            continue
        for text in variable.value.values:
            if not _is_relation(base, text):
                yield Refusal(name, variable.line, f"{text[:80]!r} is not allowed", package)


def _is_relation(field: str, text: str) -> bool:
    if field == "optdepends":
        text = re.split(r":\s", text, maxsplit=1)[0]
    match = _RELATION.fullmatch(text)
    return match is not None and (field != "provides" or match["by"] in {None, "="})


def _is_option(text: str) -> bool:
    return text.removeprefix("!") in OPTIONS


def _is_relative(text: str) -> bool:
    return not text.startswith("/")


def _known(names: tuple[str, ...] | Unsure) -> tuple[str, ...]:
    return () if isinstance(names, Unsure) else names
