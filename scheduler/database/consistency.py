"""Proves that the files, signatures and databases of a repository agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError
from scheduler.database.dependencies import unmet_dependencies
from scheduler.database.entries import read_entries
from scheduler.database.forms import DatabaseFormError, database_in_place
from scheduler.database.hosted import HostedFiles
from scheduler.database.linkage import index_names
from scheduler.database.lists import LAST_UPDATE, expected_lists
from scheduler.files import hash_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scheduler.database.entries import Entry
    from scheduler.database.repository import PacmanRepository
    from scheduler.database.signing import Keyring

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """Something that is not as it should be. `file` is a path below the repository's folder."""

    file: str
    problem: str


def verify(repository: PacmanRepository, keyring: Keyring) -> list[Inconsistency]:
    """Return what is wrong with a repository; nothing where all is well."""
    return list(_Check(repository, keyring).findings())


class _Check:
    def __init__(self, repository: PacmanRepository, keyring: Keyring) -> None:
        self._repository = repository
        self._layout = repository.layout
        self._folder = repository.layout.folder
        self._keyring = keyring
        self._hosted = HostedFiles.beside(repository.layout)

    def findings(self) -> Iterator[Inconsistency]:
        if not self._layout.is_published:
            yield Inconsistency(self._layout.database, "is missing")
            return
        try:
            found = database_in_place(self._layout, "db")
        except DatabaseFormError as error:
            yield Inconsistency(self._layout.database, error.message)
            return
        if found is None or found.name != self._layout.database:
            name = found.name if found else self._layout.database
            problem = f"becomes {self._layout.database} with the next publication"
            yield Inconsistency(name, problem)
            return
        try:
            entries = read_entries(found)
        except ProcessError as error:
            yield Inconsistency(self._layout.database, f"cannot be read: {error.message}")
            return
        yield from self._databases(entries)
        yield from self._links()
        yield from self._packages(entries.values())
        yield from self._leftovers(entries.values())
        yield from self._generations(entries)
        yield from self._lists(entries.values())
        yield from self._dependencies()

    def _databases(self, entries: Mapping[str, Entry]) -> Iterator[Inconsistency]:
        name = self._layout.files_database
        try:
            others = read_entries(self._folder / name)
        except ProcessError as error:
            yield Inconsistency(name, f"cannot be read: {error.message}")
        else:
            for package in sorted(entries.keys() | others.keys()):
                if entries.get(package) != others.get(package):
                    problem = f"and {self._layout.database} do not agree about {package}"
                    yield Inconsistency(name, problem)
        yield from self._signed(self._layout.database, name)

    def _links(self) -> Iterator[Inconsistency]:
        for name, target in self._layout.links.items():
            link = self._folder / name
            if not link.is_symlink() or link.readlink() != Path(target):
                yield Inconsistency(name, f"is no link to {target}")

    def _packages(self, entries: Iterable[Entry]) -> Iterator[Inconsistency]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for findings in pool.map(self._package, entries):
                yield from findings

    def _package(self, entry: Entry) -> list[Inconsistency]:
        path = self._folder / entry.filename
        try:
            digest = hash_file(path)
        except OSError as error:
            if self._hosted.has(entry, self._layout.arch):
                return []  # it is at the publishing target
            return [Inconsistency(entry.filename, f"cannot be read: {error.strerror}")]
        findings = list(self._signed(entry.filename))
        if path.is_symlink() or not path.is_file():
            findings.append(Inconsistency(entry.filename, "is no plain file"))
        if digest.size != entry.size:
            problem = f"has {digest.size} bytes, the database says {entry.size}"
            findings.append(Inconsistency(entry.filename, problem))
        elif digest.sha256 != entry.sha256:
            findings.append(Inconsistency(entry.filename, "has another checksum than listed"))
        return findings

    def _signed(self, *names: str) -> Iterator[Inconsistency]:
        for name in names:
            try:
                problem = self._keyring.problem_with(self._folder / name)
            except ProcessError as error:
                problem = error.message
            if problem:
                yield Inconsistency(f"{name}.sig", problem)

    def _leftovers(self, entries: Iterable[Entry]) -> Iterator[Inconsistency]:
        leaving = self._repository.superseded.leaving()
        known = {*self._layout.databases, *self._layout.links, *index_names(self._layout.name)}
        for filename in (*(entry.filename for entry in entries), *leaving):
            known |= {filename, f"{filename}.sig"}
        for path in sorted(self._folder.iterdir()):
            if path.name not in known:
                yield Inconsistency(path.name, "is not listed, and it is not known why it is here")
        for filename in sorted(leaving):
            if not (self._folder / filename).is_file():
                yield Inconsistency(filename, "is gone before its time of grace was over")

    def _generations(self, entries: Mapping[str, Entry]) -> Iterator[Inconsistency]:
        generations = self._repository.generations
        archive = self._layout.archive
        present = {
            (left.sha256, Path(path).name)
            for path, left in self._repository.superseded.archived().items()
            if (archive / path).is_file()
        }
        present |= {
            (left.sha256, filename)
            for filename, left in self._repository.superseded.leaving().items()
        }
        present |= {(entry.sha256, entry.filename) for entry in entries.values()}
        try:
            if entries != generations.latest().packages:
                problem = "is not the newest generation: somebody else has changed it"
                yield Inconsistency(self._layout.database, problem)
            for number in generations.numbers():
                for entry in generations.get(number).packages.values():
                    if (entry.sha256, entry.filename) not in present:
                        problem = f"is gone, so generation {number} cannot be brought back"
                        yield Inconsistency(entry.filename, problem)
        except CaurError as error:
            yield Inconsistency(self._layout.database, error.message)

    def _dependencies(self) -> Iterator[Inconsistency]:
        records = self._repository.records()
        generations = self._repository.generations
        try:
            former = {
                name
                for number in generations.numbers()
                for name in generations.get(number).packages
            }
        except CaurError:
            former = set()  # which is told elsewhere
        for name, lacking in unmet_dependencies(records, former):
            filename = records[name].get("FILENAME", [name])[0]
            yield Inconsistency(filename, f"needs {lacking}, which is not in the repository")

    def _lists(self, entries: Iterable[Entry]) -> Iterator[Inconsistency]:
        lines: dict[str, list[str] | None] = {LAST_UPDATE: None}
        if self._layout.is_foremost:
            lines |= expected_lists(self._layout, entries)
        for name, wanted in lines.items():
            shown = f"../{name}"
            try:
                found = (self._layout.home / name).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                yield Inconsistency(shown, "is missing or no text")
                continue
            if wanted is None and not (len(found) == 1 and found[0].isdecimal()):
                yield Inconsistency(shown, "does not hold a time")
            if wanted is not None and found != wanted:
                yield Inconsistency(shown, "is not what is in the repository")
