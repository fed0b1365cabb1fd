"""Transactions on a repository on disk, read by the real pacman."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.demonstration.client import PacmanClient
from scheduler.database.packages import read_package
from scheduler.database.repository import Repository, open_repository
from scheduler.database.signing import Signer, SigningError
from scheduler.database.transaction import RepoToolError
from tests.support.packages import SigningKey, make_package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARCH = "x86_64"


class Shelf:
    """The repository `repo` below `root`, and the packages that a test puts into it."""

    def __init__(self, root: Path, signer: Signer) -> None:
        self.root = root / "www"
        self.signer = signer
        self.folder = self.root / "repo" / ARCH

    @contextmanager
    def open(self, *, grace: int = 3600) -> Iterator[Repository]:
        with open_repository(self.root, "repo", ARCH, self.signer, grace=grace) as repository:
            yield repository

    def publish(self, *packages: tuple[str, str], grace: int = 3600) -> None:
        with self.open(grace=grace) as repository, repository.transaction() as transaction:
            made = [make_package(transaction.folder, *package) for package in packages]
            transaction.add([read_package(path) for path in made])
            transaction.prepare()
            repository.commit(transaction)

    def remove(self, *names: str) -> None:
        with self.open() as repository, repository.transaction() as transaction:
            files = [repository.entries()[name].filename for name in names]
            transaction.remove(names)
            transaction.prepare()
            repository.commit(transaction, at_once=files)

    def versions(self) -> dict[str, str]:
        with self.open() as repository:
            return {name: entry.version for name, entry in repository.entries().items()}

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if "pkg.tar" in path.name)

    def state(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture
def shelf(tmp_path: Path, signer: Signer) -> Shelf:
    return Shelf(tmp_path, signer)


@pytest.fixture
def pacman(tmp_path: Path, shelf: Shelf, key: SigningKey) -> PacmanClient:
    client = PacmanClient(tmp_path / "client", repository="repo", published=shelf.folder)
    client.trust(key.public, key.fingerprint)
    return client


def test_pacman_reads_and_installs_what_was_published(shelf: Shelf, pacman: PacmanClient) -> None:
    shelf.publish(("tool", "1-1"), ("tally++", "1:2.0-1"), ("ledger.sh", "3.r1.gabc-1"))
    shelf.publish(("tool", "2-1"))

    pacman.refresh()
    assert pacman.available() == {
        "tool": "2-1",
        "tally++": "1:2.0-1",
        "ledger.sh": "3.r1.gabc-1",
    }
    pacman.install("tally++")
    pacman.install("tool")
    assert pacman.installed() == {"tally++": "1:2.0-1", "tool": "2-1"}
    for name in ("repo.db", "repo.files"):
        link = shelf.folder / name
        assert os.readlink(link) == f"{name}.tar.zst"  # noqa: PTH115 - the text is meant
        assert pacman.has_good_signature(link)
        assert pacman.has_good_signature(shelf.folder / f"{name}.tar.zst")
    for path in shelf.folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o644
        assert not path.name.endswith((".old", ".lck"))


def test_pacman_sees_every_change_however_quickly_they_follow_each_other(
    shelf: Shelf, pacman: PacmanClient
) -> None:
    for version in ("1-1", "2-1", "3-1", "4-1"):
        shelf.publish(("tool", version))
        pacman.refresh()
        assert pacman.available() == {"tool": version}


def test_a_superseded_file_stays_for_readers_of_the_old_database(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    shelf.publish(("tool", "2-1"))
    assert [name for name in shelf.files() if not name.endswith(".sig")] == [
        "tool-1-1-any.pkg.tar.zst",
        "tool-2-1-any.pkg.tar.zst",
    ]

    shelf.publish(("tool", "3-1"), grace=0)
    assert shelf.files() == ["tool-3-1-any.pkg.tar.zst", "tool-3-1-any.pkg.tar.zst.sig"]


def test_files_that_we_did_not_supersede_are_left_alone(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    make_package(shelf.folder, "somebody-elses")
    shelf.publish(("tool", "2-1"), grace=0)

    assert "somebody-elses-1-1-any.pkg.tar.zst" in shelf.files()


def test_removed_packages_are_gone_for_pacman_and_from_the_disk(
    shelf: Shelf, pacman: PacmanClient
) -> None:
    shelf.publish(("one", "1-1"), ("one-more", "1-1"), ("one-more-time", "1-1"))
    shelf.remove("one", "one-more-time")

    pacman.refresh()
    assert pacman.available() == {"one-more": "1-1"}
    assert shelf.files() == ["one-more-1-1-any.pkg.tar.zst", "one-more-1-1-any.pkg.tar.zst.sig"]

    shelf.remove("one-more")
    pacman.refresh()
    assert pacman.available() == {}
    assert shelf.files() == []
    shelf.publish(("one", "2-1"))
    assert shelf.versions() == {"one": "2-1"}


def test_a_failing_signature_leaves_everything_as_it_was(shelf: Shelf, keyless: Signer) -> None:
    shelf.publish(("tool", "1-1"))
    before = shelf.state()
    shelf.signer = keyless

    with pytest.raises(SigningError, match="signing failed"):
        shelf.publish(("tool", "2-1"))

    assert shelf.state() == before
    assert not (shelf.root / "repo" / ".caur" / ARCH / "staging").exists()


def test_a_refusing_repo_add_leaves_everything_as_it_was(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    before = shelf.state()

    with shelf.open() as repository, repository.transaction() as transaction:
        transaction.remove(["not-there"])
        with pytest.raises(RepoToolError, match="repo-remove"):
            transaction.prepare()

    assert shelf.state() == before


def interrupted_commit(shelf: Shelf, moves: int) -> None:
    """Publish tool 2-1, but die after `moves` files have been put into place."""
    with shelf.open() as repository, repository.transaction() as transaction:
        transaction.add([read_package(make_package(transaction.folder, "tool", "2-1"))])
        transaction.prepare()
        commit = transaction.folder.parent / "commit"
        transaction.folder.rename(commit)
        order = sorted(commit.iterdir(), key=repository._publishing_order)
        assert [path.name for path in order] == [
            "tool-2-1-any.pkg.tar.zst",
            "tool-2-1-any.pkg.tar.zst.sig",
            "repo.files.tar.zst",
            "repo.files.tar.zst.sig",
            "repo.db.tar.zst",
            "repo.db.tar.zst.sig",
        ]
        for path in order[:moves]:
            path.rename(shelf.folder / path.name)


@pytest.mark.parametrize("moves", range(7))
def test_a_commit_that_was_interrupted_is_finished_by_the_next_one_who_comes(
    shelf: Shelf, pacman: PacmanClient, moves: int
) -> None:
    shelf.publish(("tool", "1-1"))
    interrupted_commit(shelf, moves)

    assert shelf.versions() == {"tool": "2-1"}
    pacman.refresh()
    pacman.install("tool")
    assert pacman.installed() == {"tool": "2-1"}
    assert not (shelf.root / "repo" / ".caur" / ARCH / "commit").exists()


def test_what_died_before_its_commit_leaves_no_trace(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    staging = shelf.root / "repo" / ".caur" / ARCH / "staging"
    staging.mkdir()
    (staging / "tool-9-1-any.pkg.tar.zst").touch()

    shelf.publish(("tool", "2-1"))

    assert not any("tool-9" in name for name in shelf.files())


def test_a_value_that_looks_like_a_field_does_not_confuse(shelf: Shelf) -> None:
    with shelf.open() as repository, repository.transaction() as transaction:
        odd = {"one": "group = %FILENAME%\ngroup = %NAME%\n", "two": "pkgtype = pkg\n"}
        made = [make_package(transaction.folder, name, extra=text) for name, text in odd.items()]
        transaction.add([read_package(path) for path in made])
        transaction.prepare()
        repository.commit(transaction)

    with shelf.open() as repository:
        entries = repository.entries()
    assert {name: entry.filename for name, entry in entries.items()} == {
        "one": "one-1-1-any.pkg.tar.zst",
        "two": "two-1-1-any.pkg.tar.zst",
    }


def test_a_signer_tells_early_that_it_cannot_sign(tmp_path: Path, signer: Signer) -> None:
    signer.check()
    with pytest.raises(SigningError, match="does not exist"):
        Signer(tmp_path / "nowhere").check()
    with pytest.raises(SigningError, match="signing failed"):
        Signer(signer._home, key="nobody@example.org").check()
