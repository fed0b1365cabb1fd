"""Which files of a folder belong in the AUR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.aur_repository.belonging import (
    files_that_belong,
    with_left_there,
    without_left_there,
)
from tests.support.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path

SRCINFO = """\
pkgbase = app
\tsource = fix.patch
\tsource = https://example.org/app.tar.gz
\tsource_x86_64 = x86.conf
\tinstall = app.install

pkgname = app

pkgname = app-doc
\tchangelog = Changes
"""
BELONG = (
    *("PKGBUILD", ".SRCINFO", "fix.patch", "x86.conf", "app.install", "Changes"),
    *("keys/pgp/A.asc", "LICENSES/0BSD.txt", "LICENSE", "README.md", "REUSE.toml"),
    ".nvchecker.toml",
)
DO_NOT = ("notes.txt", "keys/A.asc", "keys/pgp/A.txt", "app.tar.gz", "sub/fix.patch")
OWN = (".CI/config", ".gitignore")


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore.create(tmp_path / "store.git")


def test_what_the_package_refers_to_and_what_people_read_belongs(store: ObjectStore) -> None:
    contents = {path: path for path in (*BELONG, *DO_NOT, *OWN)} | {".SRCINFO": SRCINFO}

    found = files_that_belong(store.git, store.tree(contents), SRCINFO.encode())

    assert store.files(found.tree) == {path: contents[path] for path in BELONG}
    assert {file.path for file in found.files} == {*BELONG}
    assert set(found.left_out) == {*DO_NOT}  # our own are not worth a word


def test_a_srcinfo_that_was_made_is_one_of_them(store: ObjectStore) -> None:
    tree = store.tree({"PKGBUILD": "x", "fix.patch": "x"})

    found = files_that_belong(store.git, tree, SRCINFO.encode())

    assert store.files(found.tree) == {"PKGBUILD": "x", "fix.patch": "x", ".SRCINFO": SRCINFO}


def test_what_the_aur_ignores_is_neither_ours_nor_lost(store: ObjectStore) -> None:
    there = store.tree({"PKGBUILD": "old", ".gitignore": "*.log", ".CI/config": "x"})
    ours = store.tree({"PKGBUILD": "new"})

    assert store.files(without_left_there(store.git, there)) == {
        "PKGBUILD": "old",
        ".CI/config": "x",
    }
    assert store.files(with_left_there(store.git, ours, there)) == {
        "PKGBUILD": "new",
        ".gitignore": "*.log",
    }
