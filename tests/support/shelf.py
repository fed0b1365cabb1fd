"""A repository on disk, and the packages that a test puts into it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from scheduler.database.generations import PublicationKind
from scheduler.database.layout import Layout
from scheduler.database.packages import read_package
from scheduler.database.repository import PacmanRepository, Retention, open_repository
from tests.support.packages import make_package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scheduler.database.signing import Signer

ARCH = "x86_64"


class Shelf:
    """A repository below `root`."""

    def __init__(self, root: Path, signer: Signer, *, arch: str = ARCH, name: str = "repo") -> None:
        self.signer = signer
        self.layout = Layout(root / "www", name, arch)
        self.folder = self.layout.folder
        self.retention = Retention(grace=3600)

    @contextmanager
    def open(self) -> Iterator[PacmanRepository]:
        with open_repository(self.layout, self.retention) as repository:
            yield repository

    def publish(self, *packages: tuple[str, str], **values: str) -> None:
        with self.open() as repository, repository.transaction(self.signer) as transaction:
            made = [make_package(transaction.folder, *package, **values) for package in packages]
            transaction.add([read_package(path) for path in made])
            transaction.prepare()
            repository.commit(transaction, folders={name: name for name, _ in packages})

    def remove(self, *names: str) -> None:
        with self.open() as repository, repository.transaction(self.signer) as transaction:
            transaction.remove(names)
            transaction.prepare()
            repository.commit(transaction, kind=PublicationKind.REMOVED)

    def sweep(self, *, grace: int | None = None, archive_days: int | None = None) -> None:
        """Open the repository, for once with other limits."""
        retention = Retention(
            grace=self.retention.grace if grace is None else grace,
            archive_days=self.retention.archive_days if archive_days is None else archive_days,
            generations=self.retention.generations,
        )
        with open_repository(self.layout, retention) as repository:
            repository.sweep()

    def versions(self) -> dict[str, str]:
        with self.open() as repository:
            return {name: entry.version for name, entry in repository.entries().items()}

    def files(self, folder: Path | None = None) -> list[str]:
        """Return the package files and signatures in place, or in another folder."""
        found = (folder or self.folder).glob("*.pkg.tar*")
        return sorted(path.name for path in found)

    def state(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}
