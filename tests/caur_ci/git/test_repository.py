"""Repositories as people have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import GitError
from caur_ci.git import GitRepository
from caur_ci.git.settings import as_environment
from tests.support.git import Checkout, git

if TYPE_CHECKING:
    from pathlib import Path


def test_a_bare_repository_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    for name, value in as_environment([("safe.bareRepository", "explicit")]).items():
        monkeypatch.setenv(name, value)
    repository = GitRepository(tmp_path / "bare.git", bare=True)

    assert list(repository.read_blobs([repository.write_blob(b"x")])) == [b"x"]
    assert GitRepository.open(tmp_path / "bare.git").bare


def test_a_checkout_of_another_user_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Checkout.create(tmp_path / "world")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    with pytest.raises(GitError, match="dubious ownership") as caught:
        GitRepository.open(made.folder)
    assert "safe.directory" in caught.value.hint


@pytest.mark.parametrize("wanted", ["contents", "types"])
def test_a_blobless_clone_gets_what_is_wanted_together_by_one_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    made = Checkout.create(tmp_path / "world")
    files = {f"p{n}/.SRCINFO": f"pkgbase = p{n}" for n in range(20)}
    files |= {f"p{n}/.CI/config": f"KEY={n}" for n in range(10)}
    made.commit("feat: begin", dict(files))
    made.push()
    git(made.remote, "config", "uploadpack.allowFilter", "true")
    git(made.remote, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone"
    options = ("--quiet", "--filter=blob:none", "--no-checkout", "--branch=main")
    git(tmp_path, "clone", *options, made.remote.as_uri(), str(clone))
    repository = GitRepository.open(clone)
    trees = {n: repository.git("rev-parse", f"HEAD:p{n}").decode().strip() for n in range(20)}
    names = [f"{tree}:{path}" for tree in trees.values() for path in (".SRCINFO", ".CI/config")]
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))

    if wanted == "types":
        kinds = repository.object_types(names)
        assert (kinds[0], kinds[-1]) == ("blob", "")
    contents = [*repository.read_blobs(names), *repository.read_blobs(names[:2])]

    assert contents[0] == b"pkgbase = p0"
    assert contents[1] == b"KEY=0"
    assert contents[-3] is None
    assert trace.read_text().count("built-in: git fetch") == 1
