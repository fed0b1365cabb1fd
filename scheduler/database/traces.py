"""What there was, and is, of a folder's packages in the repositories: states, and files on disk.

Nothing is locked for that: what moves on meanwhile is told as it was, or left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.database.generations import GenerationError, Generations
from scheduler.database.layout import layouts, repositories
from scheduler.database.superseded import Superseded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.generations import Generation
    from scheduler.database.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One package file that is or was listed in a repository.

    `generations` are the states that list it, with their Unix times, of those that are kept.
    `paths` are where the file is on this machine; none where it is gone. `is_listed` tells of the
    newest state.
    """

    target_repo: str
    arch: str
    name: str
    version: str
    filename: str
    sha256: str
    generations: tuple[tuple[int, float], ...]
    paths: tuple[str, ...] = ()
    is_listed: bool = False


def traces_of(root: Path, folder: str, source_repo: str) -> list[Trace]:
    """Return what was published from a folder of a source repository below `root` (REPO_PATH).

    Where nobody knows which source repository a package is from, it may be this one. Raises
    OSError.
    """
    return [
        trace
        for name in repositories(root)
        for layout in layouts(root, name)
        for trace in _in_repository(layout, folder, source_repo)
    ]


def _in_repository(layout: Layout, folder: str, source_repo: str) -> Iterator[Trace]:
    states = list(_states(Generations(layout.private / "generations")))
    found: dict[str, Entry] = {}
    seen: dict[str, list[tuple[int, float]]] = {}
    for state in states:
        for entry in state.packages.values():
            source = state.sources.get(entry.name, source_repo)
            if state.folder_of(entry) == folder and source == source_repo:
                found[entry.sha256] = entry
                seen.setdefault(entry.sha256, []).append((state.number, state.time))
    if not found:
        return
    listed = {entry.sha256 for entry in states[-1].packages.values()}
    superseded = Superseded(layout)
    for sha256, entry in found.items():
        yield Trace(
            target_repo=layout.name,
            arch=layout.arch,
            name=entry.name,
            version=entry.version,
            filename=entry.filename,
            sha256=sha256,
            generations=tuple(seen[sha256]),
            paths=tuple(map(str, _paths(layout, superseded, entry, is_listed=sha256 in listed))),
            is_listed=sha256 in listed,
        )


def _states(generations: Generations) -> Iterator[Generation]:
    for number in generations.numbers():
        try:
            yield generations.get(number)
        except GenerationError:
            continue  # forgotten since


def _paths(
    layout: Layout, superseded: Superseded, entry: Entry, *, is_listed: bool
) -> Sequence[Path]:
    left = superseded.leaving().get(entry.filename)
    in_place = is_listed or (left is not None and left.sha256 == entry.sha256)
    paths = [layout.folder / entry.filename] if in_place else []
    paths += [
        layout.archive / path
        for path, archived in superseded.archived().items()
        if archived.sha256 == entry.sha256
    ]
    return [path for path in paths if path.is_file()]
