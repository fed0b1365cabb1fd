"""Repositories that exist: whatever form repo-add gave the database, what it lists stays listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.database.consistency import verify
from scheduler.database.forms import DatabaseFormError
from scheduler.database.layout import Layout, layouts, repositories
from scheduler.database.rollback import roll_back
from scheduler.database.signing import Keyring
from scheduler.job import JobState, Outcome
from tests.support.packages import make_package

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.packages import SigningKey
    from tests.support.pacman_client import PacmanClient
    from tests.support.publishing import World
    from tests.support.shelf import Shelf

FORMS = [".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar"]


def made_elsewhere(folder: Path, form: str, name: str = "veteran") -> None:
    """Publish a package as people do with repo-add alone."""
    folder.mkdir(parents=True, exist_ok=True)
    package = make_package(folder, name)
    run(["repo-add", "-q", f"repo.db{form}", package.name], cwd=folder)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_listed_stays_listed(
    shelf: Shelf, pacman: PacmanClient, key: SigningKey, form: str
) -> None:
    made_elsewhere(shelf.folder, form)
    assert repositories(shelf.layout.root) == ["repo"]
    assert layouts(shelf.layout.root, "repo") == [shelf.layout]

    shelf.publish(("fresh", "1-1"))

    assert shelf.versions() == {"fresh": "1-1", "veteran": "1-1"}
    assert (shelf.folder / "repo.db").readlink().name == "repo.db.tar.zst"
    listed = run(["bsdtar", "-tf", shelf.folder / "repo.files"]).stdout
    assert b"veteran-1-1/files" in listed
    with shelf.open() as repository:
        assert [repository.generations.get(1).packages.keys()] == [{"veteran"}]
        files = {finding.file for finding in verify(repository, Keyring(key.home))}
        # Its package was never signed, and the old database may go.
        assert files - {f"repo.{kind}{form}" for kind in ("db", "files")} <= {
            "veteran-1-1-any.pkg.tar.zst.sig",
            "repo.db.tar.gz.old",
        }
    shelf.publish(("fresh", "2-1"))
    assert shelf.versions() == {"fresh": "2-1", "veteran": "1-1"}
    with shelf.open() as repository:
        roll_back(repository, 1, shelf.signer)
    assert shelf.versions() == {"veteran": "1-1"}


def test_a_copy_in_the_place_of_the_link_is_read(shelf: Shelf) -> None:
    made_elsewhere(shelf.folder, ".tar.gz")
    (shelf.folder / "repo.db").unlink()
    (shelf.folder / "repo.db.tar.gz").rename(shelf.folder / "repo.db")

    shelf.publish(("fresh", "1-1"))

    assert shelf.versions() == {"fresh": "1-1", "veteran": "1-1"}


def test_without_a_files_database_both_list_the_same(shelf: Shelf, key: SigningKey) -> None:
    made_elsewhere(shelf.folder, ".tar.gz")
    for name in ("repo.files", "repo.files.tar.gz"):
        (shelf.folder / name).unlink()

    shelf.publish(("fresh", "1-1"))

    with shelf.open() as repository:
        findings = verify(repository, Keyring(key.home))
    assert not [each for each in findings if "do not agree" in each.problem]


@pytest.mark.parametrize("linked", [".tar.gz", None])
def test_of_two_that_may_be_meant_none_is_changed(world: World, linked: str | None) -> None:
    world.simple("fresh")
    made_elsewhere(world.folder, ".tar.zst", "one")
    made_elsewhere(world.folder, ".tar.gz", "two")
    if linked is None:
        (world.folder / "repo.db").unlink()
        (world.folder / "repo.db.tar.zst").rename(world.folder / "repo.db.tar.xz")
    before = {path.name: path.read_bytes() for path in world.folder.iterdir()}
    world.stop.set()

    world.runner().step()

    assert {path.name: path.read_bytes() for path in world.folder.iterdir()} == before
    view = world.view("fresh")
    assert view.state is JobState.LANDED
    assert "it cannot be told which one counts" in view.reason
    for kind in ("db", "files"):
        (world.folder / f"repo.{kind}.tar.gz").unlink()
    world.runner().step()
    assert world.ended("fresh")[0] is Outcome.SUCCESS
    assert world.published() == {"fresh": "1-1", "one": "1-1"}


def test_a_database_that_cannot_be_read_changes_nothing(world: World) -> None:
    world.simple("fresh")
    made_elsewhere(world.folder, ".tar.gz")
    database = world.folder / "repo.db.tar.gz"
    database.write_bytes(database.read_bytes()[:100])
    world.stop.set()

    world.runner().step()

    assert world.view("fresh").state is JobState.LANDED
    assert "cannot be read" in world.view("fresh").reason
    assert not (world.folder / "repo.db.tar.zst").exists()


def test_verify_says_what_form_it_has(shelf: Shelf, key: SigningKey) -> None:
    made_elsewhere(shelf.folder, ".tar.gz")
    with shelf.open() as repository:
        (finding,) = verify(repository, Keyring(key.home))
    assert finding.file == "repo.db.tar.gz"
    assert "becomes repo.db.tar.zst" in finding.problem
    made_elsewhere(shelf.folder, ".tar.xz")
    (shelf.folder / "repo.db").unlink()
    with shelf.open() as repository:
        with pytest.raises(DatabaseFormError):
            repository.entries()
        (finding,) = verify(repository, Keyring(key.home))
    assert "repo.db.tar.gz and repo.db.tar.xz" in finding.problem


def test_other_files_are_no_databases(tmp_path: Path) -> None:
    folder = tmp_path / "repo" / "x86_64"
    folder.mkdir(parents=True)
    for name in ("other.db", "repo.db.tar.gz.old", "repo.db.tar.gz.sig", "repo.dbx"):
        (folder / name).touch()
    assert not Layout(tmp_path, "repo", "x86_64").is_published
    assert repositories(tmp_path) == []
