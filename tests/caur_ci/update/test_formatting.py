"""PKGBUILDs in form, by the real shfmt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError, ProcessError
from caur_ci.git import GitRepository, TreeEntry
from caur_ci.git.repository import FILE_MODE
from caur_ci.update.formatting import formatted
from tests.support.git import git as run_git
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def git(tmp_path: Path) -> GitRepository:
    run_git(tmp_path, "init", "--quiet", "--bare")
    return GitRepository(tmp_path, bare=True)


def tree_of(git: GitRepository, pkgbuild: str) -> str:
    files = {"PKGBUILD": pkgbuild, ".SRCINFO": "pkgbase = a\n"}
    return git.write_tree(
        [TreeEntry(FILE_MODE, git.write_blob(text.encode()), name) for name, text in files.items()]
    )


def pkgbuild_of(git: GitRepository, tree: str) -> bytes | None:
    return next(git.read_blobs([f"{tree}:PKGBUILD"]))


def test_indentation_and_blanks_are_made_one(git: GitRepository) -> None:
    need_tools("shfmt")
    tree = tree_of(git, "pkgver=1\nbuild () {\n        make;\n}\n")

    made = formatted(git, tree)

    assert pkgbuild_of(git, made) == b"pkgver=1\nbuild() {\n  make\n}\n"
    assert formatted(git, made) == made


def test_what_is_no_bash_is_an_error(git: GitRepository) -> None:
    need_tools("shfmt")
    with pytest.raises(InputError, match="shfmt cannot read the PKGBUILD"):
        formatted(git, tree_of(git, "build() {\n"))


def test_a_machine_without_shfmt_says_so(
    git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tree_of(git, "pkgver=1\n")
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(ProcessError, match="shfmt was not found"):
        formatted(git, tree)
