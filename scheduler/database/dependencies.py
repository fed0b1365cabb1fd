"""What the packages of a repository need of each other, by its database."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.relations import Relation

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
    provided = _provided(records.values())
    for name, record in sorted(records.items()):
        for relation in _relations(record, "DEPENDS"):
            met = _providers_of(relation, provided)
            if not met and (relation.name in provided or relation.name in former):
                yield name, str(relation)


def dependants(records: Mapping[str, Record], leaving: Collection[str]) -> dict[str, list[str]]:
    """Return for each package of `leaving` those that stay and need it, where there are any."""
    provided = _provided(records.values())
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, record in records.items():
        if name in leaving:
            continue
        for relation in _relations(record, "DEPENDS"):
            providers = _providers_of(relation, provided)
            if providers and providers <= set(leaving):
                for provider in providers:
                    found[provider].add(name)
    return {name: sorted(found[name]) for name in sorted(found)}


def _provided(records: Iterable[Record]) -> Provided:
    provided: defaultdict[str, list[tuple[str, Relation]]] = defaultdict(list)
    for record in records:
        (name, *_), (version, *_) = record.get("NAME") or [""], record.get("VERSION") or [""]
        for relation in (Relation(name, "=", version), *_relations(record, "PROVIDES")):
            provided[relation.name].append((name, relation))
    return provided


def _providers_of(relation: Relation, provided: Provided) -> set[str]:
    return {name for name, other in provided.get(relation.name, ()) if relation.satisfied_by(other)}


def _relations(record: Record, field: str) -> Iterator[Relation]:
    for text in record.get(field, ()):
        try:
            yield Relation.parse(text)
        except InputError:
            continue  # what cannot be read names nothing that could be looked up
