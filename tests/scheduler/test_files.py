"""Removing what a build has left."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scheduler.files import copy_stream, hash_file, remove_tree
from tests.support.tools import as_ordinary_user

if TYPE_CHECKING:
    from pathlib import Path

REMOVE = "import sys, pathlib, scheduler.files as f; f.remove_tree(pathlib.Path(sys.argv[1]))"


def test_folders_that_cannot_be_listed_or_written_to_go_as_well(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    tree = tmp_path / "tree"
    for path, mode in ((tree / "a" / "pkg", 0o111), (tree / "a" / "module", 0o555)):
        (path / "inner").mkdir(parents=True)
        (path / "file").touch()
        path.chmod(mode)
    (tree / "link").symlink_to(outside)
    (tree / "a").chmod(0o500)

    done = subprocess.run(
        [*as_ordinary_user(), sys.executable, "-c", REMOVE, tree], capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert not tree.exists()
    assert outside.stat().st_mode & 0o777 == 0o500


def test_a_folder_may_be_as_deep_as_it_likes(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    inner = os.open(tree, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("d", dir_fd=inner)
        below = os.open("d", os.O_RDONLY, dir_fd=inner)
        os.close(inner)
        inner = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=inner))
    os.close(inner)

    remove_tree(tree)

    assert not tree.exists()


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "file").touch()
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "a" / "link").symlink_to(outside)
    (tree / "link").symlink_to(outside)
    link = tmp_path / "link"
    link.symlink_to(outside)

    remove_tree(tree)
    remove_tree(link)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]
    assert sorted(path.name for path in outside.iterdir()) == ["file", "inner"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount something")
def test_what_cannot_be_removed_does_not_keep_the_rest(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "many").mkdir()
    for number in range(200):
        (tree / "many" / str(number)).touch()
    (tree / "a" / "b" / "file").touch()
    subprocess.run(["mount", "--bind", tree / "a" / "b", tree / "a" / "b"], check=True)
    try:
        remove_tree(tree)
        assert [path.name for path in tree.rglob("*")] == ["a", "b", "file"]
    finally:
        subprocess.run(["umount", tree / "a" / "b"], check=False)


def test_not_more_is_read_of_a_file_than_it_may_have(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")

    with path.open("rb") as reader, (tmp_path / "copy").open("wb") as writer:
        assert copy_stream(reader, writer, largest=3).size == 4
    assert (tmp_path / "copy").read_bytes() == b"1234"
    with path.open("rb") as reader:
        assert copy_stream(reader, largest=5) == hash_file(path)
