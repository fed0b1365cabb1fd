"""What the demonstration makes for itself, and who may read it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caur_ci.demo import setup
from caur_ci.demo.machine import BuildMachine
from caur_ci.demo.packages import LIBRARY, NEEDS_LIBRARY, Fixtures
from caur_ci.process import run
from caur_ci.standalone.interrupts import Interrupts
from scheduler.settings import ExecutorKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Iterator[setup.DemoFolders]:
    """The folders, made by somebody who lets nobody else see what they make."""
    before = os.umask(0o077)
    try:
        with (
            Interrupts() as interrupts,
            setup.places(tmp_path / "output", interrupts, keep=False) as folders,
        ):
            yield folders
            run(["gpgconf", "--homedir", folders.gnupg, "--kill", "all"], allowed=(0, 1, 2))
    finally:
        os.umask(before)


def test_builds_of_another_user_can_read_the_upstream_repository(made: setup.DemoFolders) -> None:
    setup.DemoRepository(made, Fixtures.find()).create()

    found = [made.upstream, *made.upstream.rglob("*")]
    assert len(found) > 10
    assert not [path for path in found if path.stat().st_mode & 0o444 != 0o444]
    assert not [path for path in found if path.is_dir() and path.stat().st_mode & 0o111 != 0o111]


def test_builds_of_another_user_can_read_what_is_installed_for_them(
    made: setup.DemoFolders,
) -> None:
    BuildMachine(made, setup.make_key(made))

    for folder in (made.work, made.machine, made.machine_root):
        assert folder.stat().st_mode & 0o111 == 0o111
    environment = setup.environment(made, ExecutorKind.HOST)
    assert str(made.machine_root) in environment["BUILDER_READABLE"].split(":")


def test_the_library_moves_in_the_working_tree(made: setup.DemoFolders) -> None:
    root = made.work / "it's here"
    source = setup.DemoRepository(made, Fixtures.find(), library_root=root)
    source.create()
    before = source.head()
    source.change(add=[LIBRARY, NEEDS_LIBRARY])
    source.push("feat: init")

    assert source.move_library() == "2.0-1"

    assert source.head() != before
    recipe = made.checkout / LIBRARY / "PKGBUILD"
    assert "\npkgver=2.0\n" in recipe.read_text()
    needs = made.checkout / NEEDS_LIBRARY / "PKGBUILD"
    told = run(["bash", "-c", '. "$1" && printf %s "$_root"', "-", needs])
    assert told.stdout.decode() == str(root)
