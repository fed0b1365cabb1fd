"""Published files that are lost or spoilt come back, or it is said that they have to be built."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scheduler.database.consistency import verify
from scheduler.database.layout import Layout
from scheduler.database.repair import Repaired, repair
from scheduler.database.repository import open_repository
from scheduler.database.signing import Keyring
from scheduler.job import Outcome
from scheduler.settings import TargetRepository
from tests.support.queue import job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.landing import LandingZone
    from tests.support.packages import SigningKey
    from tests.support.publishing import World
    from tests.support.shelf import Shelf

TOOL = "tool-1-1-any.pkg.tar.zst"


def repaired(shelf: Shelf, key: SigningKey, landing: LandingZone | None = None) -> list[Repaired]:
    with shelf.open() as repository:
        return repair(repository, Keyring(key.home), shelf.signer, landing)


def findings(shelf: Shelf, key: SigningKey) -> list[str]:
    with shelf.open() as repository:
        return [each.file for each in verify(repository, Keyring(key.home))]


def _write(folder: Path, name: str) -> None:
    path = folder / name
    path.unlink()
    path.write_bytes(b"spoilt")


DAMAGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "signature": (lambda folder: (folder / f"{TOOL}.sig").unlink(), [f"{TOOL}.sig"]),
    "wrong signature": (lambda folder: _write(folder, f"{TOOL}.sig"), [f"{TOOL}.sig"]),
    "link": (lambda folder: (folder / "repo.db").unlink(), []),
    "lists": (lambda folder: (folder.parent / "pkgs.txt").unlink(), []),
    "database": (
        lambda folder: (folder / "repo.db.tar.zst").unlink(),
        ["repo.db.tar.zst"],
    ),
    "spoilt database": (
        lambda folder: _write(folder, "repo.files.tar.zst"),
        ["repo.files.tar.zst"],
    ),
    "database's signature": (
        lambda folder: (folder / "repo.db.tar.zst.sig").unlink(),
        ["repo.db.tar.zst.sig"],
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_can_be_made_anew_is(shelf: Shelf, key: SigningKey, damage: str) -> None:
    shelf.publish(("tool", "1-1"), ("other", "1-1"))
    spoil, files = DAMAGES[damage]
    spoil(shelf.folder)
    assert findings(shelf, key)

    assert [each.file for each in repaired(shelf, key)] == files

    assert findings(shelf, key) == []
    assert repaired(shelf, key) == []


@pytest.mark.parametrize("spoilt", [True, False])
def test_a_package_comes_back_from_the_archive(shelf: Shelf, key: SigningKey, spoilt: bool) -> None:
    shelf.publish(("tool", "1-1"))
    shelf.publish(("tool", "2-1"))
    shelf.sweep(grace=0)
    shelf.remove("tool")
    with shelf.open() as repository, repository.transaction(shelf.signer) as transaction:
        transaction.add_published([shelf.layout.archive / TOOL])
        transaction.prepare()
        repository.commit(transaction)
    content = (shelf.layout.archive / TOOL).read_bytes()
    (shelf.folder / TOOL).unlink()
    if spoilt:
        (shelf.folder / TOOL).write_bytes(content[:-1] + b"x")

    assert repaired(shelf, key) == [Repaired(TOOL, "the archive", "tool")]

    assert (shelf.folder / TOOL).read_bytes() == content
    assert findings(shelf, key) == []


def test_a_package_comes_back_from_another_architecture_or_a_delivery(world: World) -> None:
    target = TargetRepository(name="repo", architectures=("x86_64", "aarch64"))
    world.settings = replace(world.settings, target_repos={"repo": target})
    world.simple("tool")
    copy = world.base / "copy"
    shutil.copytree(world.landing.folder / world.deliveries()[0], copy)
    world.runner().step()
    key, keyring = world.publisher().signer, Keyring(world.settings.gpg_home)

    layout = Layout(world.settings.repo_path, "repo", "x86_64")
    (world.folder / TOOL).unlink()
    with open_repository(layout) as repository:
        assert repair(repository, keyring, key, None) == [Repaired(TOOL, "aarch64", "tool")]
        assert verify(repository, keyring) == []
    for arch in ("x86_64", "aarch64"):
        (world.folder.with_name(arch) / TOOL).unlink()
    with open_repository(layout) as repository:
        assert repair(repository, keyring, key, world.landing) == [Repaired(TOOL, "", "tool")]
        copy.rename(world.landing.folder / "99-99")
        assert repair(repository, keyring, key, world.landing) == [
            Repaired(TOOL, "delivery 99-99", "tool")
        ]
        assert verify(repository, keyring) == []


@pytest.mark.parametrize("spoilt", [True, False])
def test_a_new_build_of_the_same_version_replaces_what_is_lost(world: World, spoilt: bool) -> None:
    world.simple("tool", content="first")
    world.runner().step()
    (world.folder / TOOL).unlink()
    if spoilt:
        (world.folder / TOOL).write_bytes(b"spoilt")

    package = world.package("tool", content="second")
    content = package.read_bytes()
    world.deliver(job("tool"), package)
    world.runner().step()

    assert world.ended("tool") == (Outcome.SUCCESS, "")
    assert (world.folder / TOOL).read_bytes() == content
    assert world.published() == {"tool": "1-1"}
    layout = Layout(world.settings.repo_path, "repo", "x86_64")
    with open_repository(layout) as repository:
        assert verify(repository, Keyring(world.settings.gpg_home)) == []
        # The first one could not be brought back any more.
        assert repository.generations.numbers() == [2]


def test_a_strict_umask_hides_nothing_from_readers(world: World) -> None:
    former = os.umask(0o077)
    try:
        world.settings = replace(world.settings, grace=0)
        world.simple("tool")
        world.runner().step()
        world.simple("tool", "2-1")
        world.runner().step()
    finally:
        os.umask(former)

    home = world.settings.repo_path / "repo"
    assert (home / "archive/x86_64" / TOOL).is_file()
    for path in (world.settings.repo_path, *world.settings.repo_path.rglob("*")):
        if ".caur" not in path.parts:
            wanted = 0o755 if path.is_dir() else 0o644
            assert path.is_symlink() or path.stat().st_mode & 0o777 == wanted, path
