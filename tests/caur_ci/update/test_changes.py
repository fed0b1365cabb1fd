"""Which changes of git trees are quiet, and which are for people to see.

What the judge knows has its own tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.git import GitRepository, TreeEntry
from caur_ci.git.repository import FILE_MODE, TREE_MODE
from caur_ci.git.trees import EXECUTABLE_MODE, LINK_MODE
from caur_ci.judge import package
from caur_ci.update.changes import review_reasons
from tests.support.git import git as run_git
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from pathlib import Path

FILES = files_of("tool", "1-1")
NEXT = files_of("tool", "2-1")


class Trees:
    """Package folders in a repository."""

    def __init__(self, folder: Path) -> None:
        run_git(folder, "init", "--quiet", "--bare")
        self.git = GitRepository(folder, bare=True)

    def tree(self, files: dict[str, str], *more: TreeEntry, mode: str = FILE_MODE) -> str:
        blobs = self.git.write_blobs([text.encode() for text in files.values()])
        entries = [TreeEntry(mode, blob, name) for name, blob in zip(files, blobs, strict=True)]
        return self.git.write_tree([*entries, *more])

    def reasons(self, old: str, new: str) -> tuple[str, ...]:
        return review_reasons(self.git, old, new)


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def test_a_new_version_is_quiet(trees: Trees) -> None:
    assert trees.reasons(trees.tree(FILES), trees.tree(NEXT)) == ()


def test_nothing_changed_is_quiet(trees: Trees) -> None:
    assert trees.reasons(trees.tree(FILES), trees.tree(FILES)) == ()


def test_what_is_not_is_told_with_its_place(trees: Trees) -> None:
    changed = NEXT | {"PKGBUILD": NEXT["PKGBUILD"] + "eval x\n"}

    reasons = trees.reasons(trees.tree(FILES), trees.tree(changed))
    assert "PKGBUILD:5: text is run as code: eval x (eval-used)" in reasons


def test_files_in_folders_count(trees: Trees) -> None:
    keys = TreeEntry(TREE_MODE, trees.tree({"more.patch": "+ x\n"}), "patches")

    (reason,) = trees.reasons(trees.tree(FILES), trees.tree(NEXT, keys))
    assert reason.startswith("patches/more.patch: ")


@pytest.mark.parametrize("mode", [LINK_MODE, EXECUTABLE_MODE])
def test_another_kind_of_file_is_for_review(trees: Trees, mode: str) -> None:
    assert trees.reasons(trees.tree(FILES), trees.tree(FILES, mode=mode))


def test_the_repositorys_own_files_are_not_looked_at(trees: Trees) -> None:
    own = TreeEntry(TREE_MODE, trees.tree({"config": "X=1\n", "prepare": "id\n"}), ".CI")

    assert trees.reasons(trees.tree(FILES), trees.tree(FILES, own)) == ()


def test_what_is_too_large_is_refused(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "LARGEST_FILE", 100)
    large = NEXT | {"x": "y" * 101}

    with pytest.raises(InputError, match="'x' has more than 100 bytes"):
        trees.reasons(trees.tree(FILES), trees.tree(large))
