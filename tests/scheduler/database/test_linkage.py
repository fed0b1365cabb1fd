"""The index beside the databases follows what is published."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from caur_ci.linkage import IMPORTS, LINKAGE, PackageLinkage, read_index
from caur_ci.process import run
from scheduler.database.consistency import verify
from scheduler.database.indexing import index_published
from scheduler.database.linkage import LinkageIndex
from scheduler.database.packages import read_package
from scheduler.database.signing import Keyring
from tests.support.compiling import Compiler
from tests.support.elf import elf
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.packages import SigningKey
    from tests.support.publishing import World
    from tests.support.shelf import Shelf


def indexed(folder: Path) -> dict[str, PackageLinkage]:
    return {
        package.name: package for package in read_index(LINKAGE, folder / "repo.linkage.jsonl.zst")
    }


def test_a_package_file_tells_what_it_needs(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/lib").mkdir(parents=True)
    (root / "usr/bin").mkdir()
    (root / "usr/bin/tool").write_bytes(elf(needs=["libown.so.1", "libx.so.2", "libx.so.2"]))
    (root / "usr/lib/libown.so.1.0").write_bytes(elf(soname="libown.so.1", needs=["libc.so.6"]))
    (root / "usr/lib/libown.so.1").symlink_to("libown.so.1.0")
    (root / "usr/lib/debug").mkdir()
    (root / "usr/lib/debug/tool").write_bytes(elf(needs=["libdebug.so.1"]))
    (root / ".PKGINFO").write_text(
        "pkgname = tool\npkgbase = tools\npkgver = 1-1\narch = x86_64\n", encoding="utf-8"
    )
    (root / ".BUILDINFO").write_text("installed = nodejs-22.0.0-1-x86_64\n", encoding="utf-8")
    path = tmp_path / "tool-1-1-x86_64.pkg.tar.zst"
    run(["bsdtar", "--zstd", "-cf", path, ".PKGINFO", ".BUILDINFO", "usr"], cwd=root)

    assert read_package(path).linkage == PackageLinkage(
        name="tool",
        base="tools",
        version="1-1",
        sha256="",
        needs={
            "lib:libc.so.6": ("usr/lib/libown.so.1.0",),
            "lib:libx.so.2": ("usr/bin/tool",),
        },
    )


def test_names_that_programs_take_are_written_down(shelf: Shelf, tmp_path: Path) -> None:
    need_tools("gcc")
    compiler = Compiler(tmp_path)
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    library = compiler.library("libx.so.1", "int f(void) { return 1; }")

    def publish(name: str) -> None:
        made = compiler.program(name, "int f(void); int main(void) { return f(); }", library)
        shutil.copy(made, root / "usr/bin")
        info = f"pkgname = {name}\npkgbase = {name}\npkgver = 1-1\narch = x86_64\n"
        (root / ".PKGINFO").write_text(info, encoding="utf-8")
        with shelf.open() as repository, repository.transaction(shelf.signer) as transaction:
            path = transaction.folder / f"{name}-1-1-x86_64.pkg.tar.zst"
            run(["bsdtar", "--zstd", "-cf", path, ".PKGINFO", f"usr/bin/{name}"], cwd=root)
            transaction.add([read_package(path)])
            transaction.prepare()
            repository.commit(transaction)
        index_published(shelf.layout)

    publish("one")
    publish("two")
    shelf.remove("one")
    publish("three")
    path = shelf.folder / "repo.imports.jsonl.zst"
    taken = {it.name: it for it in read_index(IMPORTS, path)}

    assert set(taken) == {"two", "three"}
    (file,) = taken["two"].files
    assert (file.path, "f" in file.names) == ("usr/bin/two", True)
    assert "libx.so.1" in file.needs
    # Without it, all are looked into again.
    path.unlink()
    assert index_published(shelf.layout).packages == 2
    assert {it.name for it in read_index(IMPORTS, path)} == {"two", "three"}


def test_a_publication_brings_the_index_up_to_date(world: World) -> None:
    world.simple("tool", "1-1")
    world.simple("doc", "1-1")
    world.runner().step()
    found = indexed(world.folder)

    assert {name: package.version for name, package in found.items()} == {
        "tool": "1-1",
        "doc": "1-1",
    }
    assert all(package.sha256 for package in found.values())


def test_what_was_published_before_is_looked_into_once(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"), ("doc", "1-1"), ("lost", "1-1"), ("spoilt", "1-1"))
    (shelf.folder / "lost-1-1-any.pkg.tar.zst").unlink()
    (shelf.folder / "spoilt-1-1-any.pkg.tar.zst").write_bytes(b"")
    told: list[int] = []

    done = index_published(shelf.layout, begin=told.append)

    assert done.packages == 3
    assert done.problems["lost-1-1-any.pkg.tar.zst"] == "the file is not there"
    assert set(done.problems) == {"lost-1-1-any.pkg.tar.zst", "spoilt-1-1-any.pkg.tar.zst"}
    found = indexed(shelf.folder)
    assert set(found) == {"tool", "doc", "spoilt"}
    assert found["spoilt"].problem

    assert index_published(shelf.layout, begin=told.append).packages == 0
    assert told == [4, 1]  # only what was lost is looked for again

    # A new version and a removal; then an earlier state.
    shelf.publish(("tool", "2-1"))
    shelf.remove("doc")
    index_published(shelf.layout)
    assert {name: package.version for name, package in indexed(shelf.folder).items()} == {
        "tool": "2-1",
        "spoilt": "1-1",
    }


def test_work_that_is_interrupted_goes_on(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.publish(*((f"p{number}", "1-1") for number in range(3)))
    monkeypatch.setattr("scheduler.database.indexing._AT_ONCE", 1)
    seen: list[int] = []

    def advance() -> None:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_published(shelf.layout, advance=advance)

    assert len(indexed(shelf.folder)) == 1
    assert index_published(shelf.layout).packages == 2


def test_an_index_that_cannot_be_read_is_made_anew(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    index_published(shelf.layout)
    path = LinkageIndex(shelf.layout).path
    for damage in (b"", path.read_bytes()[:-8]):
        path.write_bytes(damage)
        assert index_published(shelf.layout).packages == 1
        assert set(indexed(shelf.folder)) == {"tool"}


def test_a_publication_finds_some_of_what_is_missing(world: World) -> None:
    world.simple("tool", "1-1")
    world.runner().step()
    (world.folder / "repo.linkage.jsonl.zst").unlink()
    world.simple("doc", "1-1")
    world.runner().step()

    assert set(indexed(world.folder)) == {"tool", "doc"}


def test_of_very_many_none_is_looked_into(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.database.linkage._FEW", 0)
    world.simple("tool", "1-1")
    world.runner().step()
    (world.folder / "repo.linkage.jsonl.zst").unlink()
    world.simple("doc", "1-1")
    world.runner().step()

    assert set(indexed(world.folder)) == {"doc"}


def test_an_index_is_expected_in_the_folder(shelf: Shelf, key: SigningKey) -> None:
    shelf.publish(("tool", "1-1"))
    index_published(shelf.layout)
    with shelf.open() as repository:
        assert verify(repository, Keyring(key.home)) == []
