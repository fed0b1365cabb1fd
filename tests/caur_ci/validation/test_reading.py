"""States as they are on disk and at commits, and PKGBUILDs that are evaluated once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caur_ci.confined import Confined
from caur_ci.git import GitRepository
from caur_ci.validation.evaluating import RecipeReader, nvchecker_problems
from caur_ci.validation.reading import committed_snapshot, working_snapshot
from caur_ci.validation.snapshot import Folder, FolderFile
from tests.caur_ci.validation.worlds import PKGBUILD, SRCINFO
from tests.support.git import Checkout, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from caur_ci.pkgbuild.recipe import Recipe


@pytest.fixture
def world(tmp_path: Path) -> Checkout:
    checkout = Checkout.create(tmp_path / "world")
    link = checkout.folder / "a" / "link"
    link.parent.mkdir()
    link.symlink_to("../elsewhere")
    checkout.commit(
        "x",
        {
            ".ci/config": "REPO_NAME=x\n",
            ".gitignore": "*.log\n",
            "README.md": "x",
            ".hidden/x": "x",
            "-bad/PKGBUILD": "x",
            "a/PKGBUILD": "x\n",
            "a/\udcff": "odd",
            "a/sub/deep/file.install": "not read",
            "b/PKGBUILD": "y\n",
            "b/b.install": "z\n",
            "b/.SRCINFO": "s\n",
        },
    )
    return checkout


def test_what_is_on_disk_is_what_would_be_committed(world: Checkout) -> None:
    repository = GitRepository.open(world.folder)
    (world.folder / "a" / "new").write_text("new")
    (world.folder / "a" / "build.log").write_text("ignored")
    (world.folder / "a" / "PKGBUILD").chmod(0o755)
    (world.folder / "b" / "b.install").unlink()
    on_disk = working_snapshot(repository)
    world.commit("y")

    assert on_disk == committed_snapshot(repository, world.head())
    assert on_disk.folders["a"].files["PKGBUILD"] == FolderFile("100755", 2)
    assert on_disk.folders["a"].files["link"].target == "../elsewhere"
    assert on_disk.folders["a"].contents == {"PKGBUILD": b"x\n"}
    assert "new" in on_disk.folders["a"].files
    assert "b.install" not in on_disk.folders["b"].files
    assert on_disk.own == {".ci/config": b"REPO_NAME=x\n"}
    assert on_disk.unusable == ("-bad",)
    assert on_disk.checked == {"a", "b"}


def test_of_other_folders_only_what_matters_is_read(world: Checkout) -> None:
    repository = GitRepository.open(world.folder)

    for snapshot in (
        working_snapshot(repository, {"a"}),
        committed_snapshot(repository, world.head(), {"a"}),
    ):
        assert snapshot.checked == {"a"}
        assert snapshot.folders["b"].contents.keys() == {"PKGBUILD", ".SRCINFO"}
        assert "b.install" in snapshot.folders["b"].files


def test_alone_others_are_as_if_they_were_not_there(world: Checkout) -> None:
    repository = GitRepository.open(world.folder)

    snapshot = committed_snapshot(repository, world.head(), {"b"}, alone=True)

    assert snapshot.folders.keys() == {"b"}
    assert snapshot.own.keys() == {".ci/config"}


def test_submodules_are_told_apart(world: Checkout, tmp_path: Path) -> None:
    library = Checkout.create(tmp_path / "library")
    library.commit("x", {"x": "x"})
    for path in ("lib", "b/lib"):
        git(world.folder, "submodule", "--quiet", "add", str(library.folder), path)
    repository = GitRepository.open(world.folder)
    on_disk = working_snapshot(repository)
    world.commit("y")

    assert on_disk == committed_snapshot(repository, world.head())
    assert on_disk.submodules == ("lib",)
    assert on_disk.folders["b"].files["lib"] == FolderFile("160000")


def test_where_modes_do_not_count_they_are_not_looked_at(world: Checkout) -> None:
    git(world.folder, "config", "core.fileMode", "false")

    assert not working_snapshot(GitRepository.open(world.folder)).has_modes


def test_a_pipe_does_not_stop_anybody(world: Checkout) -> None:
    (world.folder / "b" / "PKGBUILD").unlink()
    os.mkfifo(world.folder / "b" / "PKGBUILD")

    snapshot = working_snapshot(GitRepository.open(world.folder))

    assert "PKGBUILD" not in snapshot.folders["b"].contents


def folder(name: str = "tool", **contents: str) -> Folder:
    files = {
        "PKGBUILD": PKGBUILD.format(name=name, more=""),
        ".SRCINFO": SRCINFO.format(name=name, more=""),
        **contents,
    }
    data = {path: text.encode() for path, text in files.items()}
    return Folder(name, {path: FolderFile(size=len(it)) for path, it in data.items()}, data)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of all that is asked of confined processes."""
    asked: list[str] = []

    def call(_self: Confined, function: Callable[..., object], *arguments: object) -> object:
        asked.append(function.__name__)
        return function(*arguments)

    monkeypatch.setattr(Confined, "call", call)
    return asked


def test_a_recipe_is_evaluated_once_for_a_content(tmp_path: Path, calls: list[str]) -> None:
    first = RecipeReader(tmp_path).read([folder()])
    again = RecipeReader(tmp_path).read([folder()])

    assert first == again
    assert first["tool"].srcinfo is not None
    assert calls == ["_read"]


@pytest.mark.parametrize(
    "changed",
    [{"PKGBUILD": "pkgname=x\n"}, {".SRCINFO": ""}, {"beside": "x"}],
    ids=["pkgbuild", "srcinfo", "beside"],
)
def test_another_content_is_another_recipe(
    tmp_path: Path, calls: list[str], changed: dict[str, str]
) -> None:
    RecipeReader(tmp_path).read([folder()])
    RecipeReader(tmp_path).read([folder(**changed)])

    assert len(calls) == 2


def test_no_srcinfo_is_another_content_than_an_empty_one(tmp_path: Path, calls: list[str]) -> None:
    without = folder()
    contents = {"PKGBUILD": without.contents["PKGBUILD"]}
    RecipeReader(tmp_path).read([Folder("tool", without.files, contents)])
    RecipeReader(tmp_path).read([Folder("tool", without.files, {**contents, ".SRCINFO": b""})])

    assert len(calls) == 2


def test_where_something_is_in_doubt_nothing_is_refused(calls: list[str]) -> None:
    doubtful = "pkgname=tool\npkgver=$(< version)\npkgrel=a\narch=(any)\n"

    recipe = RecipeReader().read([folder(PKGBUILD=doubtful)])["tool"]

    assert recipe.doubt
    assert recipe.refusals == ()
    assert calls


def test_what_is_kept_may_be_damaged(tmp_path: Path) -> None:
    reader = RecipeReader(tmp_path)
    expected = reader.read([folder()])
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"x" * 5000)

    assert reader.read([folder()]) == expected


def test_a_pkgbuild_that_takes_too_much_is_not_sure() -> None:
    recipe = RecipeReader().read([folder(PKGBUILD=": <<E\nE\n" * 1200)])["tool"]

    assert recipe.srcinfo is None
    assert recipe.doubt


def test_both_ways_of_a_confined_answer_say_the_same(calls: list[str]) -> None:
    recipes: dict[str, Recipe] = RecipeReader().read(
        [folder(), folder("b", PKGBUILD="pkgver=a-b\npkgrel=1\npkgname=b\narch=(any)\n")]
    )

    assert recipes["tool"].differences == ()
    assert [it.field for it in recipes["b"].refusals] == ["pkgver"]
    assert recipes["b"].srcinfo is None
    assert calls == ["_read", "_read"]


def test_nvchecker_files_are_read_apart(calls: list[str]) -> None:
    good = folder(**{".nvchecker.toml": '[tool]\nsource = "pypi"\npypi = "tool"\n'})
    bad = folder("bad", **{"nvchecker.toml": "["})

    problems = nvchecker_problems([good, bad, folder("none")])

    assert problems.keys() == {"bad"}
    assert "no TOML" in problems["bad"]
    assert calls == ["read_entry", "read_entry"]
