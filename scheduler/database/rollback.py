"""Brings an earlier state of a repository back, as a new generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.database.generations import Generation, GenerationError, PublicationKind
from scheduler.database.recalled import RecalledFiles

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.repository import PacmanRepository
    from scheduler.database.signing import Signer

_SHOWN = 8


def roll_back(
    repository: PacmanRepository, number: int, signer: Signer, *, even_recalled: bool = False
) -> Generation:
    """Publish what generation `number` had, and return the generation that this makes.

    Raises GenerationError when there is no such generation, or a file of it is gone, or without
    `even_recalled` was recalled; SigningError.
    """
    wanted, current = repository.generations.get(number), repository.current()
    if not even_recalled:
        _refuse_recalled(repository, wanted)
    if wanted.packages == current.packages:
        raise GenerationError(f"generation {number} is what is published already")
    databases = repository.generations.path(number)
    if not (databases / repository.layout.database).is_file():
        raise GenerationError(f"the database of generation {number} is gone")
    listed = {(entry.filename, entry.sha256) for entry in current.packages.values()}
    missing = [
        entry for entry in wanted.packages.values() if (entry.filename, entry.sha256) not in listed
    ]
    files = _found(repository, missing, number)
    with repository.transaction(signer) as transaction:
        # What is still in place stays there.
        transaction.add_published(path for path in files if path.parent != repository.layout.folder)
        transaction.prepare_from(databases)
        return repository.commit(
            transaction,
            kind=PublicationKind.ROLLED_BACK,
            folders=wanted.folders,
            sources=wanted.sources,
            origin=number,
        )


def _refuse_recalled(repository: PacmanRepository, wanted: Generation) -> None:
    """Raise GenerationError where a file of a generation was recalled."""
    recalled = RecalledFiles(repository.layout).among(wanted.packages.values())
    if recalled:
        raise GenerationError(
            f"generation {wanted.number} has packages that were recalled: "
            f"{_some(sorted(entry.filename for entry in recalled))}",
            hint="`caur-ci repo history` shows other generations. --even-recalled publishes them "
            "again.",
        )


def _found(repository: PacmanRepository, entries: list[Entry], number: int) -> list[Path]:
    files = {entry.filename: repository.superseded.find(entry) for entry in entries}
    gone = sorted(name for name, path in files.items() if path is None)
    if gone:
        raise GenerationError(
            f"{len(gone)} files of generation {number} are gone: {_some(gone)}",
            hint="They were neither in place nor in the archive with their checksums.",
        )
    return [path for path in files.values() if path is not None]


def _some(names: list[str]) -> str:
    return ", ".join([*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else [])])
