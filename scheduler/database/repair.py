"""Brings back published files that were lost or spoilt."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.database.entries import read_entries
from scheduler.database.hosted import HostedFiles
from scheduler.database.layout import layouts
from scheduler.database.lists import write_lists
from scheduler.files import NotAFileError, copy_regular_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.database.entries import Entry
    from scheduler.database.repository import PacmanRepository
    from scheduler.database.signing import Keyring, Signer
    from scheduler.landing import LandingZone


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of a file that was not as it should be.

    `source` is where it came from, "" where there is none; then the package of `folder` has to be
    built again, and is published although the version is the same.
    """

    file: str
    source: str
    folder: str = ""


def repair(
    repository: PacmanRepository, keyring: Keyring, signer: Signer, landing: LandingZone | None
) -> list[Repaired]:
    """Bring back what is missing or spoilt, and return what that was.

    Files come from the archive, from another architecture, or from a delivery in `landing`.
    Signatures, links and lists are made anew. Raises CaurError and OSError.
    """
    with TemporaryDirectory(dir=repository.layout.private, prefix=".repair-") as folder:
        return list(_Repair(repository, keyring, signer, landing, Path(folder)).all())


@dataclass(frozen=True, slots=True)
class _Repair:
    repository: PacmanRepository
    keyring: Keyring
    signer: Signer
    landing: LandingZone | None
    workplace: Path

    def all(self) -> Iterator[Repaired]:
        yield from self._databases()
        current = self.repository.current()
        hosted = HostedFiles.beside(self.repository.layout)
        for entry in current.packages.values():
            if hosted.has(entry, self.repository.layout.arch):
                continue
            if not self._is_good(entry):
                source = self._bring_back(entry)
                yield Repaired(entry.filename, source, current.folder_of(entry))
                if not source:
                    continue
            yield from self._sign(entry.filename)
        self.repository.link()
        sync_folder(self.repository.layout.folder)
        write_lists(self.repository.layout, current.packages.values(), updated=None)

    def _databases(self) -> Iterator[Repaired]:
        """Take databases that cannot be read from the newest generation."""
        layout = self.repository.layout
        latest = self.repository.generations.latest()
        kept = self.repository.generations.path(latest.number)
        for name in (layout.files_database, layout.database):
            path = layout.folder / name
            try:
                is_readable = path.is_file() and (read_entries(path) or not latest.packages)
            except CaurError:
                is_readable = False
            if not is_readable and (kept / name).is_file():
                self._put(kept / name, name)
                yield Repaired(name, f"generation {latest.number}")
            if path.is_file():
                yield from self._sign(name)

    def _is_good(self, entry: Entry, folder: Path | None = None) -> bool:
        path = (folder or self.repository.layout.folder) / entry.filename
        try:
            digest = copy_regular_file(path, second_names=True)
        except (OSError, NotAFileError):
            return False
        return (digest.size, digest.sha256) == (entry.size, entry.sha256)

    def _bring_back(self, entry: Entry) -> str:
        """Put the file of an entry into place, and return where it is from; "" from nowhere."""
        layout = self.repository.layout
        archived = self.repository.superseded.find(entry)
        if archived is not None:
            self._put(archived, entry.filename)
            return "the archive"
        for other in layouts(layout.root, layout.name):
            if other != layout and self._is_good(entry, other.folder):
                self._put(other.folder / entry.filename, entry.filename)
                return other.arch
        copy = self.workplace / "delivered"
        if self.landing is not None:
            delivery = self.landing.find(entry.filename, entry.size, entry.sha256, copy)
            if delivery:
                self._put(copy, entry.filename)
                return f"delivery {delivery}"
        return ""

    def _sign(self, filename: str) -> Iterator[Repaired]:
        path = self.repository.layout.folder / filename
        if not self.keyring.problem_with(path):
            return
        # Beside a name of its own, so that readers never see half a signature.
        (self.workplace / filename).hardlink_to(path)
        signature = self.signer.sign(self.workplace / filename)
        self._put(signature, signature.name)
        (self.workplace / filename).unlink()
        yield Repaired(signature.name, "the signing key")

    def _put(self, source: Path, filename: str) -> None:
        fresh = self.workplace / "fresh"
        shutil.copyfile(source, fresh)
        fresh.chmod(0o644)
        with fresh.open("rb") as stream:
            os.fsync(stream.fileno())
        fresh.rename(self.repository.layout.folder / filename)
