"""What a package needs, stands for and keeps away, and under which names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.judge.catalogue import finding
from caur_ci.judge.known_names import DISTRIBUTION, INSTALLERS, OFTEN_NEEDED
from caur_ci.judge.package import PKGBUILD
from caur_ci.judge.pair import elements_of
from caur_ci.judge.spelling import is_one_letter_off
from caur_ci.pkgbuild.values import Unsure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from caur_ci.judge.model import Finding, PackageContext
    from caur_ci.judge.pair import Pair
    from caur_ci.pkgbuild.values import Value

_RELATION = re.compile(r"(?P<name>[^<>=:\s]+)(?P<by>[<>]?=|[<>])?(?P<version>[^:\s]*)")
DEPENDENCIES = ("depends", "makedepends", "checkdepends", "optdepends")
CODES = {
    "provides": "provides-changed",
    "conflicts": "conflicts-changed",
    "groups": "groups-changed",
    "replaces": "replaces-added",
}
# What may stand behind the name of another package without being another one.
_VARIANTS = re.compile(r"-(?:git|bin|svn|hg|bzr|nightly|beta|dev|lts|stable|latest|debug)$")


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation to a package, as `name>=1.2`; a remark behind it is left out."""

    name: str
    by: str
    version: str

    @classmethod
    def of(cls, text: str) -> Relation:
        """Read a relation; what is none has a name only."""
        match = _RELATION.match(text.strip())
        if match is None:
            return cls(text, "", "")
        return cls(match["name"], match["by"] or "", match["version"] if match["by"] else "")


class Relations:
    """Compares the relations of one package."""

    def __init__(self, pair: Pair, context: PackageContext) -> None:
        self._pair, self._context = pair, context
        self._own = {
            *pair.old.elements("pkgname"),
            *pair.new.elements("pkgname"),
            pair.new.text("pkgbase"),
            context.name,
        }
        self._needed = {
            Relation.of(text).name
            for name in pair.old.evaluation.variables
            if name.partition("_")[0] in DEPENDENCIES
            for text in pair.old.elements(name)
        }

    def findings(self, field: str, old: Value | None, new: Value | None) -> Iterator[Finding]:
        """Yield what changed in one field, of the base or of a package."""
        base = field.partition("_")[0]
        before, after = _by_name(old), _by_name(new)
        line = self._pair.new.line(field) or self._pair.old.line(field)
        added = [name for name in after if name not in before]
        gone = [name for name in before if name not in after]
        if base in DEPENDENCIES:
            yield from self._dependencies(field, added, gone, line)
        elif base in CODES:
            yield from self._claims(field, base, added, gone, line)
        for name in after:
            if name in before and not self._same_version(before[name], after[name]):
                yield finding(
                    "dependency-version",
                    file=PKGBUILD,
                    line=line,
                    old=_shown(name, before[name]),
                    new=_shown(name, after[name]),
                    what=f"{field}: {_shown(name, after[name])}",
                )

    def _dependencies(
        self, field: str, added: list[str], gone: list[str], line: int
    ) -> Iterator[Finding]:
        is_hint = field.startswith("optdepends")
        for name in added:
            for code in self._about_dependency(name):
                yield finding(code, file=PKGBUILD, line=line, new=name, what=f"{field}: {name}")
            code = "text-changed" if is_hint else "dependency-added"
            what = field if is_hint else f"{field}: {name}"
            yield finding(code, file=PKGBUILD, line=line, new=name, what=what)
        for name in gone:
            code = "text-changed" if is_hint else "dependency-removed"
            what = field if is_hint else f"{field}: {name}"
            yield finding(code, file=PKGBUILD, line=line, old=name, what=what)

    def _about_dependency(self, name: str) -> Iterator[str]:
        if name in INSTALLERS:
            yield "dependency-installer"
        known = self._context.known | self._context.others | OFTEN_NEEDED
        if name in known or name in self._needed or name in self._own:
            return
        if _is_lookalike(name, known | self._needed):
            yield "dependency-lookalike"
        elif self._context.known and ".so" not in name:
            yield "dependency-unknown"

    def _claims(
        self, field: str, base: str, added: list[str], gone: list[str], line: int
    ) -> Iterator[Finding]:
        for name in added:
            if base in {"provides", "replaces"} and self.is_taken(name):
                what = f"{field}: {name}"
                yield finding("name-taken", file=PKGBUILD, line=line, new=name, what=what)
            yield finding(CODES[base], file=PKGBUILD, line=line, new=name, what=name)
        for name in gone:
            code = "field-changed" if base == "replaces" else CODES[base]
            yield finding(code, file=PKGBUILD, line=line, old=name, what=f"{field}: no {name}")

    def is_taken(self, name: str) -> bool:
        """Tell whether a name is the distribution's, or another folder's."""
        if name in self._own or any(_VARIANTS.sub("", own) == name for own in self._own):
            return False
        return name in DISTRIBUTION or name in self._context.others

    def _same_version(self, old: set[Relation], new: set[Relation]) -> bool:
        if old == new:
            return True
        forms = self._pair.forms
        return self._pair.rises and {(it.by, forms.old(it.version)) for it in old} == {
            (it.by, forms.new(it.version)) for it in new
        }


def judge_names(pair: Pair, context: PackageContext) -> Iterator[Finding]:
    """Yield what changed about which packages come of a PKGBUILD."""
    old, new = pair.old.elements("pkgname"), pair.new.elements("pkgname")
    line = pair.new.line("pkgname")
    added = [name for name in new if name not in old]
    gone = [name for name in old if name not in new]
    shown = {"old": " ".join(old), "new": " ".join(new)}
    if added and gone:
        yield finding("pkgname-changed", file=PKGBUILD, line=line, what=", ".join(added), **shown)
    elif added or gone:
        code = "package-added" if added else "package-removed"
        yield finding(code, file=PKGBUILD, line=line, what=", ".join(added or gone), **shown)
    before, after = pair.old.text("pkgbase"), pair.new.text("pkgbase")
    if (before or "".join(old[:1])) != (after or "".join(new[:1])):
        what = after or "".join(new[:1])
        yield finding("pkgbase-changed", file=PKGBUILD, line=line, old=before, new=after, what=what)
    for name in added:
        if name in DISTRIBUTION | context.others:
            yield finding("name-taken", file=PKGBUILD, line=line, new=name, what=name)


def _by_name(value: Value | None) -> dict[str, set[Relation]]:
    found: dict[str, set[Relation]] = {}
    if value is None or isinstance(value, Unsure):
        return found
    for text in elements_of(value):
        relation = Relation.of(text)
        found.setdefault(relation.name, set()).add(relation)
    return found


def _is_lookalike(name: str, known: Collection[str]) -> bool:
    # Versions of the same thing differ by a digit, short names by chance.
    plain = re.sub(r"[0-9]", "", name)
    return len(plain) >= 5 and any(
        is_one_letter_off(plain, re.sub(r"[0-9]", "", other)) and not _is_plural(name, other)
        for other in known
        if abs(len(other) - len(name)) <= 2 and len(other) >= 5
    )


def _is_plural(name: str, other: str) -> bool:
    return name in {f"{other}s", other.removesuffix("s")}


def _shown(name: str, relations: set[Relation]) -> str:
    return ", ".join(sorted(f"{name}{it.by}{it.version}" for it in relations))
