"""What the packages of a repository need of each other, by its database."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.relations import Relation, readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from scheduler.database.entries import Record

    # What is provided, by name, with the packages that provide it.
    Provided = Mapping[str, list[tuple[str, Relation]]]


def unmet_dependencies(
    records: Mapping[str, Record], former: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield each package that lacks something, and what that is.

    What the distribution has is not known here: a dependency counts where the repository has the
    name but not the version, or had the package, as `former` says.
    """
    provided = _provided(records)
    for name, record in sorted(records.items()):
        for relation in readable(record.get("DEPENDS", ())):
            met = _providers_of(relation, provided)
            if not met and (relation.name in provided or relation.name in former):
                yield name, str(relation)


def dependants(records: Mapping[str, Record], leaving: Collection[str]) -> dict[str, list[str]]:
    """Return for each package of `leaving` those that stay and need it, where there are any."""
    provided = _provided(records)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, record in records.items():
        if name in leaving:
            continue
        for relation in readable(record.get("DEPENDS", ())):
            providers = _providers_of(relation, provided)
            if providers and providers <= set(leaving):
                for provider in providers:
                    found[provider].add(name)
    return {name: sorted(found[name]) for name in sorted(found)}


def needed(records: Mapping[str, Record], relations: Iterable[str]) -> set[str]:
    """Return the packages that answer to `relations`, and all that these need in turn.

    Versions do not matter: whether one fits is for pacman to say, which has to see it for that.
    """
    provided = _provided(records)
    found: set[str] = set()
    left = list(readable(relations))
    while left:
        for name in {name for name, _ in provided.get(left.pop().name, ())} - found:
            found.add(name)
            left += readable(records[name].get("DEPENDS", ()))
    return found


def _provided(records: Mapping[str, Record]) -> Provided:
    provided: defaultdict[str, list[tuple[str, Relation]]] = defaultdict(list)
    for name, record in records.items():
        (version, *_) = record.get("VERSION") or [""]
        for relation in (Relation(name, "=", version), *readable(record.get("PROVIDES", ()))):
            provided[relation.name].append((name, relation))
    return provided


def _providers_of(relation: Relation, provided: Provided) -> set[str]:
    return {name for name, other in provided.get(relation.name, ()) if relation.satisfied_by(other)}
