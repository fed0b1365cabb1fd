"""What the repositories tell of earlier publications, in kept states and in databases."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from scheduler.database.entries import entry_of
from scheduler.database.generations import Generation, Generations, PublicationKind
from scheduler.database.layout import layouts
from scheduler.database.repository import PacmanRepository
from scheduler.history import FormerPublication

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from scheduler.database.entries import Entry, Record
    from scheduler.database.layout import Layout

_MADE_HERE = frozenset({PublicationKind.PUBLISHED, PublicationKind.FOUND})


def former_publications(root: Path, names: Iterable[str]) -> Iterator[FormerPublication]:
    """Yield what the repositories `names` below `root` (REPO_PATH) show to have been published.

    For a package that a kept generation has first, that is its time; for any other one, the time
    at which its packages were built. Only reads, without a lock. Raises CaurError and OSError.
    """
    for name in sorted(names):
        for layout in layouts(root, name):
            yield from _of_repository(layout)


def _of_repository(layout: Layout) -> Iterator[FormerPublication]:
    repository = PacmanRepository(layout, None)
    records = repository.records()
    built = {name: _build_date(record) for name, record in records.items()}
    told: set[str] = set()
    latest = repository.generations.latest()
    for generation in _kept(repository.generations):
        fresh = [generation.packages[name] for name in (*generation.added, *generation.updated)]
        if generation.kind in _MADE_HERE:
            yield from _publications(layout, generation, fresh, built)
            told |= {entry.sha256 for entry in fresh}
    rest = [entry for entry in map(entry_of, records.values()) if entry.sha256 not in told]
    yield from _publications(layout, latest, rest, built, is_older=True)


def _kept(generations: Generations) -> Iterator[Generation]:
    return (generations.get(number) for number in generations.numbers())


def _publications(
    layout: Layout,
    generation: Generation,
    entries: Iterable[Entry],
    built: dict[str, float],
    *,
    is_older: bool = False,
) -> Iterator[FormerPublication]:
    """Yield what `entries` were published as, one for each folder that they come from.

    With `is_older` they were so before `generation`.
    """
    by_folder: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_folder[generation.folder_of(entry)].append(entry)
    counts = generation.kind is PublicationKind.PUBLISHED and not is_older
    for folder, some in by_folder.items():
        dates = [built[entry.name] for entry in some if built.get(entry.name)]
        yield FormerPublication(
            target_repo=layout.name,
            arch=layout.arch,
            pkgbase=folder,
            source_repo=generation.sources.get(some[0].name, ""),
            finished=generation.time if counts else max(dates, default=generation.time),
            generation=str(generation.number) if counts else "",
            files=tuple(entry.as_published for entry in some),
        )


def _build_date(record: Record) -> float:
    text = next(iter(record.get("BUILDDATE", ())), "")
    return float(text) if text.isdecimal() and len(text) <= 12 else 0.0
