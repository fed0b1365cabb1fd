"""Which part of a repository is validated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import GitError, InputError
from caur_ci.git import GitRepository
from caur_ci.pipeline.validating.scope import Scope, changed_in, changed_on_disk, named
from tests.support.git import git

if TYPE_CHECKING:
    from tests.support.git import Checkout


def opened(checkout: Checkout) -> GitRepository:
    return GitRepository.open(checkout.folder)


@pytest.mark.parametrize(
    ("names", "packages", "own"),
    [
        (["a", "b/"], {"a", "b"}, False),
        (["a/PKGBUILD", "a/.CI/config"], {"a"}, False),
        ([".ci/config"], set(), True),
        (["README.md", ".github/x"], set(), False),
        (["nothing"], {"nothing"}, False),
    ],
    ids=["folders", "files", "own", "others", "missing"],
)
def test_names_stand_for_folders(
    checkout: Checkout,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    packages: set[str],
    own: bool,
) -> None:
    monkeypatch.chdir(checkout.folder)
    (checkout.folder / "README.md").write_text("x")

    scope = named(opened(checkout), names)

    assert (scope.packages, scope.with_repository) == (frozenset(packages), own)


def test_paths_count_from_where_one_is(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.folder / "a")

    assert named(opened(checkout), ["PKGBUILD", "b"]).packages == frozenset({"a", "b"})
    with pytest.raises(InputError, match="is not in"):
        named(opened(checkout), ["../.."])


def test_a_range_is_what_its_commits_touch(checkout: Checkout) -> None:
    start = checkout.head()
    checkout.commit("x", {"a/new": "x", "b/PKGBUILD": None, "b/.SRCINFO": None})
    middle = checkout.commit("y", {"c/new": "x", "page.md": "x"})
    checkout.commit("z", {".ci/config": "REPO_NAME=x\n"})
    git(checkout.folder, "branch", "side", start)
    repository = opened(checkout)

    assert changed_in(repository, f"{start}..{middle}") == Scope(
        packages=frozenset({"a", "c"}), with_repository=False, commit=middle
    )
    assert changed_in(repository, f"{middle}..").with_repository
    assert changed_in(repository, "side...HEAD").packages == frozenset({"a", "c"})
    assert changed_in(repository, f"{start}..{middle}", on_disk=True).commit is None


def test_a_folder_that_is_no_package_is_told_with_the_repository(checkout: Checkout) -> None:
    checkout.commit("x", {"-bad/x": "x", ".github/x": "x"})

    assert changed_in(opened(checkout), "HEAD~1..HEAD").with_repository


def test_three_dots_begin_where_the_other_one_left(checkout: Checkout) -> None:
    git(checkout.folder, "checkout", "--quiet", "-b", "side")
    checkout.commit("x", {"a/new": "x"})
    git(checkout.folder, "checkout", "--quiet", "main")
    checkout.commit("y", {"b/new": "x"})
    repository = opened(checkout)

    assert changed_in(repository, "main...side").packages == frozenset({"a"})
    assert changed_in(repository, "main..side").packages == frozenset({"a", "b"})


@pytest.mark.parametrize("text", ["HEAD", "..HEAD", ""])
def test_what_is_no_range_is_refused(checkout: Checkout, text: str) -> None:
    with pytest.raises(InputError, match="no range"):
        changed_in(opened(checkout), text)


@pytest.mark.parametrize("text", ["nothing..HEAD", "--upload-pack=x..HEAD"])
def test_commits_have_to_be_there(checkout: Checkout, text: str) -> None:
    with pytest.raises(GitError, match="no commit"):
        changed_in(opened(checkout), text)


def test_what_is_not_committed_yet(checkout: Checkout) -> None:
    repository = opened(checkout)
    assert changed_on_disk(repository) == Scope(packages=frozenset(), with_repository=False)

    (checkout.folder / "a" / "PKGBUILD").write_text("changed")
    (checkout.folder / "new").mkdir()
    (checkout.folder / "new" / "PKGBUILD").write_text("new")
    (checkout.folder / "b" / "PKGBUILD").unlink()
    (checkout.folder / "b" / ".SRCINFO").unlink()
    (checkout.folder / "b").rmdir()
    (checkout.folder / ".ci" / "config").write_text("x=1")

    assert changed_on_disk(repository) == Scope(packages=frozenset({"a", "new"}))
