"""What packages need, and whether anybody has it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.deptree import find_cycles
from caur_ci.errors import InputError
from caur_ci.relations import Relation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from caur_ci.validation.model import Finding
    from caur_ci.validation.view import PackageView, RepositoryView

_NEEDS = ("depends", "makedepends", "checkdepends")
_OTHERS = ("provides", "conflicts", "replaces")
_SHOWN = 6


def check_relations(view: PackageView) -> Iterator[Finding]:
    """Yield what in a package's relations is none."""
    for field in (*_NEEDS, *_OTHERS):
        for name, entries in view.srcinfo.with_architectures(field):
            for entry in entries:
                if _relation(entry.value) is None:
                    yield view.about(
                        "relation-unreadable",
                        name,
                        entry.value,
                        line=entry.line,
                        what=f"{name} = {entry.value}",
                    )


def check_dependencies(repository: RepositoryView) -> Iterator[Finding]:
    """Yield dependencies that nobody provides, where the databases are known; and cycles."""
    outside = repository.surroundings.provided
    if outside is not None:
        inside = _provided(repository)
        for name in sorted(repository.checked):
            yield from _unmet(repository.packages[name], inside, outside)
    yield from _cycles(repository)


def _unmet(
    view: PackageView, inside: Collection[str], outside: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    told: set[str] = set()
    for field in (
        f"{need}{suffix}" for need in _NEEDS for suffix in ("", f"_{DEFAULT_ARCHITECTURE}")
    ):
        for entry in view.srcinfo.values(field):
            relation = _relation(entry.value)
            # Versions in here may be behind what is built.
            if relation is None or entry.value in told or relation.name in inside:
                continue
            told.add(entry.value)
            code, what = "", f"{field} = {entry.value}"
            if relation.name not in outside:
                code = "dependency-unmet"
            elif not _is_met(relation, outside[relation.name]):
                code = "dependency-version"
                there = ", ".join(sorted(outside[relation.name])[:_SHOWN]) or "no version"
                what = f"{what}: of {relation.name} there is {there}"
            if code:
                yield view.about(code, field, relation.name, line=entry.line, what=what)


def _is_met(relation: Relation, versions: Collection[str]) -> bool:
    # What of a library is linked to is known after the build only.
    if not relation.operator or relation.is_soname:
        return True
    return any(relation.satisfied_by(Relation(relation.name, "=", it)) for it in versions)


def _provided(repository: RepositoryView) -> set[str]:
    tree = repository.tree
    return {name for package in tree for name in (*tree.pkgnames(package), *tree.provides(package))}


def _cycles(repository: RepositoryView) -> Iterator[Finding]:
    for members in find_cycles(repository.tree):
        for name in repository.checked.intersection(members):
            way = _way_back(repository, name, members)
            shown = way if len(way) <= _SHOWN else [*way[: _SHOWN - 1], "…", way[-1]]
            causes = repository.tree.dependencies(name)[way[1]]
            view = repository.packages[name]
            yield view.about(
                "dependency-cycle", causes[0].need, causes[0].relation, what=" → ".join(shown)
            )


def _way_back(repository: RepositoryView, start: str, members: Collection[str]) -> list[str]:
    """Return a shortest way from a package over others of its cycle to itself."""
    inside = set(members)
    before: dict[str, str] = {}
    waiting = [start]
    for at in waiting:
        for to in repository.tree.dependencies(at):
            if to == start:
                way = [at, start]
                while way[0] != start:
                    way.insert(0, before[way[0]])
                return way
            if to in inside and to not in before:
                before[to] = at
                waiting.append(to)
    return [start, start]


@lru_cache(maxsize=1 << 15)
def _relation(text: str) -> Relation | None:
    try:
        return Relation.parse(text)
    except InputError:
        return None
