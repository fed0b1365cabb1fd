"""Branch `state`, which the existing system reads and writes as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline.shared.state_branch import StateBranch, read_version_state
from tests.support.git import git

if TYPE_CHECKING:
    from pathlib import Path

ME = Identity("Me", "me@example.org")


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    git(tmp_path, "init", "--quiet", "--bare")
    return GitRepository(tmp_path, bare=True)


def committed(repository: GitRepository, files: dict[str, bytes]) -> str:
    listing = b"".join(
        f"100644 blob {repository.write_blob(data)}\t{name}\n".encode()
        for name, data in files.items()
    )
    tree = git(repository.folder, "mktree", stdin=listing)
    return git(repository.folder, "commit-tree", tree, stdin=b"x")


def test_what_was_set_is_there_in_the_known_form(repository: GitRepository) -> None:
    state = StateBranch.read(repository, None)
    state.set("tally++", "CI_GIT_COMMIT", "a" * 40)
    state.set("b", "CI_PKGBUILD_TIMESTAMP", "17")
    commit = state.write(repository, ME)
    assert commit is not None

    assert git(repository.folder, "show", f"{commit}:tally++") == f"CI_GIT_COMMIT={'a' * 40}"
    assert git(repository.folder, "log", "--format=%P|%s", commit) == "|chore(state): update state"
    again = StateBranch.read(repository, commit)
    assert again.values("tally++") == {"CI_GIT_COMMIT": "a" * 40}
    assert again.values("b") == {"CI_PKGBUILD_TIMESTAMP": "17"}
    assert again.values("c") == {}


def test_what_others_wrote_stays(repository: GitRepository) -> None:
    commit = committed(
        repository,
        {".version-state": b"glibc:2.42-1\n", "a": b"CI_GIT_COMMIT=1\nTHEIRS=x\n", "-b": b"?"},
    )
    state = StateBranch.read(repository, commit)
    state.set("a", "CI_GIT_COMMIT", "2")
    written = state.write(repository, ME)
    assert written is not None

    show = [git(repository.folder, "show", f"{written}:{n}") for n in (".version-state", "a", "-b")]
    assert show == ["glibc:2.42-1", "CI_GIT_COMMIT=2\nTHEIRS=x", "?"]


def test_nothing_changed_is_no_new_commit(repository: GitRepository) -> None:
    commit = committed(repository, {"a": b"CI_GIT_COMMIT=1\n", ".version-state": b""})
    state = StateBranch.read(repository, commit)
    state.set("a", "CI_GIT_COMMIT", "1")
    state.set("b", "CI_GIT_COMMIT", "")

    assert state.write(repository, ME) == commit
    assert StateBranch.read(repository, None).write(repository, ME) is None


def test_packages_that_are_gone_are_forgotten(repository: GitRepository) -> None:
    state = StateBranch.read(repository, committed(repository, {"a": b"X=1\n", "b": b"X=1\n"}))
    state.keep_only({"b", "c"})
    written = state.write(repository, ME)
    assert written is not None

    assert git(repository.folder, "ls-tree", "--name-only", written) == "b"


def test_a_file_that_makes_no_sense_is_as_good_as_none(repository: GitRepository) -> None:
    state = StateBranch.read(repository, committed(repository, {"a": b'CI_GIT_COMMIT="1\n'}))

    assert state.values("a") == {}
    state.set("a", "CI_GIT_COMMIT", "2")
    assert state.values("a") == {"CI_GIT_COMMIT": "2"}


def test_thousands_are_written_by_one_process(repository: GitRepository) -> None:
    contents = [b"", b"\0binary\n", *(f"blob {number}\n".encode() for number in range(3000))]

    ids = repository.write_blobs(contents)

    assert list(repository.read_blobs(ids)) == contents
    assert ids[2] == repository.write_blob(contents[2])


def test_versions_of_libraries_are_in_a_file_of_their_own(repository: GitRepository) -> None:
    commit = committed(repository, {".version-state": b"icu:1-1\n", "a": b"CI_GIT_COMMIT=1\n"})
    state = StateBranch.read(repository, commit)
    assert state.version_state == b"icu:1-1\n"

    state.version_state = b"icu:2-1\n"
    state.keep_only(["a"])
    written = state.write(repository, ME)

    assert git(repository.folder, "ls-tree", "--name-only", str(written)).split() == [
        ".version-state",
        "a",
    ]
    assert git(repository.folder, "show", f"{written}:.version-state") == "icu:2-1"
    assert read_version_state(repository, written) == b"icu:2-1\n"
    assert StateBranch.read(repository, None).version_state == b""
    assert read_version_state(repository, None) == b""


def test_no_versions_make_no_file(repository: GitRepository) -> None:
    commit = committed(repository, {"a": b"CI_GIT_COMMIT=1\n"})
    state = StateBranch.read(repository, commit)
    state.version_state = b""

    assert state.write(repository, ME) == commit
