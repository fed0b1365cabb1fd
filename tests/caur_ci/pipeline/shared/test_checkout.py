"""The clone of a pipeline, brought up to what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.shared.checkout import advance_checkout, check_out_state
from tests.support.objects import MISSING, ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = {"a/f": "1\n", "b/f": "1\n", "c/f": "1\n"}
NEW = {"a/f": "2\n", "b/f": "1\n", "d/f": "1\n"}
STATE = {"a": "K=1\n"}


@pytest.fixture
def work(tmp_path: Path) -> ObjectStore:
    """A clone with the commit OLD checked out on main."""
    store = ObjectStore.create(tmp_path / "clone", bare=False)
    store.ref("refs/heads/main", store.commit(OLD))
    store.git.git("reset", "--quiet", "--hard")
    return store


def status(store: ObjectStore) -> str:
    return store.git.git("status", "--porcelain").decode()


def content(store: ObjectStore) -> dict[str, str]:
    folder = store.git.folder
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.glob("?/*"))
        if path.is_file()
    }


class TestForward:
    """HEAD, index and files follow the commit that was published."""

    def test_they_are_those_of_the_new_commit(self, work: ObjectStore) -> None:
        new = work.commit(NEW)

        assert advance_checkout(work.git, work.commit(OLD), new) == ""

        assert work.git.commit_id("refs/heads/main") == new
        assert work.git.branch() == "refs/heads/main"
        assert status(work) == ""
        assert content(work) == NEW

    def test_changes_in_other_files_are_kept(self, work: ObjectStore) -> None:
        new = work.commit(NEW)
        (work.git.folder / "b" / "f").write_text("mine\n")
        (work.git.folder / "b" / "more").write_text("mine\n")

        assert advance_checkout(work.git, work.commit(OLD), new) == ""

        assert work.git.commit_id("HEAD") == new
        assert content(work) == {**NEW, "b/f": "mine\n", "b/more": "mine\n"}

    @pytest.mark.parametrize("path", ["a/f", "c/f", "d/f"])
    def test_changes_in_the_same_files_keep_all_as_it_is(
        self, work: ObjectStore, path: str
    ) -> None:
        old, new = work.commit(OLD), work.commit(NEW)
        changed = work.git.folder / path
        changed.parent.mkdir(exist_ok=True)
        changed.write_text("mine\n")

        trouble = advance_checkout(work.git, old, new)

        assert trouble.startswith(f"the working tree stays at {old[:12]}: ")
        assert path in trouble
        assert work.git.commit_id("HEAD") == old
        assert content(work) == {**OLD, path: "mine\n"}

    def test_there_is_nowhere_to_go(self, work: ObjectStore, tmp_path: Path) -> None:
        old = work.commit(OLD)
        bare = ObjectStore.create(tmp_path / "bare.git")

        assert advance_checkout(work.git, old, old) == ""
        assert advance_checkout(bare.git, old, MISSING) == ""
        assert content(work) == OLD


def a_file(path: Path) -> None:
    path.write_text("mine")


def a_link(path: Path) -> None:
    path.with_name("elsewhere").mkdir()
    path.with_name("elsewhere").joinpath("kept").write_text("mine")
    path.symlink_to("elsewhere")


def a_folder(path: Path) -> None:
    path.mkdir()
    path.joinpath("x").write_text("mine")


def a_broken_working_tree(path: Path) -> None:
    path.mkdir()
    path.joinpath(".git").write_text("gitdir: /nowhere\n")


class TestState:
    """Branch `state` is in the folder `.state`, a working tree."""

    def test_it_is_checked_out(self, work: ObjectStore) -> None:
        commit = work.commit(STATE)

        assert check_out_state(work.git, commit) == ""

        folder = work.git.folder / ".state"
        assert (folder / "a").read_text() == "K=1\n"
        head = work.git.git("-C", str(folder), "rev-parse", "HEAD").decode().strip()
        assert head == commit
        assert work.git.branch() == "refs/heads/main"

    def test_it_follows_the_branch(self, work: ObjectStore) -> None:
        check_out_state(work.git, work.commit(STATE))

        assert check_out_state(work.git, work.commit({"b": "K=2\n"})) == ""

        folder = work.git.folder / ".state"
        assert [path.name for path in folder.iterdir() if path.name != ".git"] == ["b"]

    def test_it_is_left_alone_where_it_is_there(self, work: ObjectStore) -> None:
        commit = work.commit(STATE)
        check_out_state(work.git, commit)
        before = (work.git.folder / ".state").stat().st_ino

        assert check_out_state(work.git, commit) == ""

        assert (work.git.folder / ".state").stat().st_ino == before

    def test_changes_in_it_are_undone(self, work: ObjectStore) -> None:
        commit = work.commit(STATE)
        check_out_state(work.git, commit)
        changed = work.git.folder / ".state" / "a"
        changed.write_text("mine")

        assert check_out_state(work.git, commit) == ""

        assert changed.read_text() == "K=1\n"

    @pytest.mark.parametrize("put", [a_file, a_link, a_folder, a_broken_working_tree])
    def test_it_takes_the_place_of_anything_else(
        self, work: ObjectStore, put: Callable[[Path], None]
    ) -> None:
        folder = work.git.folder / ".state"
        put(folder)

        assert check_out_state(work.git, work.commit(STATE)) == ""

        assert not folder.is_symlink()
        assert (folder / "a").read_text() == "K=1\n"
        if put is a_link:
            assert folder.with_name("elsewhere").joinpath("kept").read_text() == "mine"

    def test_what_cannot_be_checked_out_is_told(self, work: ObjectStore) -> None:
        trouble = check_out_state(work.git, MISSING)

        assert trouble.startswith(".state could not be brought up to date: ")

    def test_there_is_nothing_to_show(self, work: ObjectStore, tmp_path: Path) -> None:
        bare = ObjectStore.create(tmp_path / "bare.git")

        assert check_out_state(work.git, None) == ""
        assert check_out_state(bare.git, bare.commit(STATE)) == ""

        assert not (work.git.folder / ".state").exists()
        assert not (bare.folder / ".state").exists()
