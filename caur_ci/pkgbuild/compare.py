"""Whether a committed `.SRCINFO` says what its PKGBUILD says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.pkgbuild.schema import SUMS
from caur_ci.pkgbuild.srcinfo import Section, sections
from caur_ci.pkgbuild.values import Unsure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caur_ci.pkgbuild.evaluate import Evaluation

# Each source has the sum at its own place.
_ORDERED = frozenset({"source", *SUMS})

_Fields = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field with what is committed and what belongs there; empty where there is none.

    `package` is empty for the pkgbase. A package that only one side has differs in `pkgname`.
    """

    field: str
    committed: tuple[str, ...]
    expected: tuple[str, ...]
    package: str = ""


def read_sections(data: bytes, *, origin: str = ".SRCINFO") -> list[Section]:
    """Read a `.SRCINFO` with all of its fields, in whatever order.

    Raises InputError where a line is none of a `.SRCINFO`.
    """
    found: list[tuple[str, str, dict[str, list[str]]]] = []
    early: dict[str, list[str]] = {}
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n"), start=1):
        key, equals, value = map(str.strip, line.partition("="))
        if (not key and not equals) or key.startswith("#"):
            continue
        if not key or not equals:
            raise InputError(
                f"{origin}, line {number}: cannot be read: {line.strip()[:80]!r}",
                hint="Write it anew with `caur-ci srcinfo --write`.",
            )
        if key in {"pkgbase", "pkgname"}:
            found.append((key, value, early if key == "pkgbase" and not found else {}))
        elif found:
            found[-1][2].setdefault(key, []).append(value)
        else:
            # Fields before the pkgbase are read as its own by the AUR.
            early.setdefault(key, []).append(value)
    return [
        Section(kind, name, tuple((key, tuple(values)) for key, values in fields.items()))
        for kind, name, fields in found
    ]


def compare_srcinfo(
    evaluation: Evaluation, committed: bytes, *, origin: str = ".SRCINFO"
) -> list[Difference]:
    """Return the fields of a committed `.SRCINFO` that do not follow from the PKGBUILD.

    Fields of the PKGBUILD that are not sure are left out (see `doubts`). Where there is a function
    pkgver(), the pkgver may be another one, also within other fields. The order of fields, and of
    values other than sources and sums, means nothing.

    Raises InputError where the `.SRCINFO` cannot be read.
    """
    given = read_sections(committed, origin=origin)
    unsure = {
        name
        for name, variable in evaluation.variables.items()
        if isinstance(variable.value, Unsure)
    }
    unsure |= {
        f"{package}/{name}"
        for package, fields in evaluation.overrides.items()
        for name, variable in fields.items()
        if isinstance(variable.value, Unsure)
    }
    if evaluation.lost is not None or isinstance(evaluation.packages, Unsure):
        return []
    found = compare_sections(
        sections(evaluation), given, pkgver_moves="pkgver" in evaluation.functions
    )
    return [
        difference
        for difference in found
        if (f"{difference.package}/" if difference.package else "") + difference.field not in unsure
    ]


def compare_sections(
    expected: Sequence[Section], committed: Sequence[Section], *, pkgver_moves: bool
) -> list[Difference]:
    """Return the fields in which two `.SRCINFO` differ; see `compare_srcinfo`."""
    wanted, given = _by_name(expected), _by_name(committed)
    moved = _moved(wanted.get("", {}), given.get("", {})) if pkgver_moves else None
    names = [section.name for section in expected if section.kind == "pkgname"]
    others = [section.name for section in committed if section.kind == "pkgname"]
    found: list[Difference] = []
    if sorted(names) != sorted(others):
        found.append(Difference("pkgname", tuple(others), tuple(names)))
    ours, theirs = _bases(committed), _bases(expected)
    if ours != theirs:
        found.append(Difference("pkgbase", ours, theirs))
    both = set(others).intersection(names)
    for package in ["", *(name for name in names if name in both)]:
        found += _fields(package, wanted.get(package, {}), given.get(package, {}), moved)
    return found


def _bases(found: Sequence[Section]) -> tuple[str, ...]:
    return tuple(section.name for section in found if section.kind == "pkgbase")


def _by_name(found: Sequence[Section]) -> dict[str, _Fields]:
    return {
        "" if section.kind == "pkgbase" else section.name: dict(section.fields) for section in found
    }


def _moved(wanted: _Fields, given: _Fields) -> tuple[str, str] | None:
    """Return the pkgver of the PKGBUILD and the one that pkgver() has made of it."""
    before, after = "".join(wanted.get("pkgver", ())), "".join(given.get("pkgver", ()))
    return (before, after) if before and after and before != after else None


def _fields(
    package: str,
    wanted: Mapping[str, tuple[str, ...]],
    given: Mapping[str, tuple[str, ...]],
    moved: tuple[str, str] | None,
) -> Iterator[Difference]:
    for field in dict.fromkeys((*wanted, *given)):
        left, right = given.get(field), wanted.get(field)
        if _same(field, left, right, moved):
            continue
        yield Difference(field, _shown(left), _shown(right), package)


def _shown(values: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the values so that a field that is empty differs from one that is not there."""
    return () if values is None else values or ("",)


def _same(
    field: str,
    given: tuple[str, ...] | None,
    wanted: tuple[str, ...] | None,
    moved: tuple[str, str] | None,
) -> bool:
    if given is None or wanted is None:
        return given == wanted
    ordered = field.partition("_")[0] in _ORDERED
    left, right = _comparable(given, ordered=ordered), _comparable(wanted, ordered=ordered)
    if left == right:
        return True
    if moved is None:
        return False
    return left == _comparable([text.replace(*moved) for text in wanted], ordered=ordered)


def _comparable(values: Sequence[str], *, ordered: bool) -> list[str]:
    # An empty value alone says that the package has none of the base's.
    texts = [" ".join(value.split()) for value in values]
    texts = [] if texts == [""] else texts
    return texts if ordered else sorted(texts)
