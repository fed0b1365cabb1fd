"""What a run finds out about where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import GitError
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.options import RunOptions
from tests.support.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def clone(tmp_path: Path) -> ObjectStore:
    """A clone with a commit on main."""
    store = ObjectStore.create(tmp_path / "clone", bare=False)
    store.ref("refs/heads/main", store.commit({"a/f": "x"}))
    return store


def opened(
    repo: Path, environ: Mapping[str, str] | None = None, *, remote: str | None = None
) -> RunContext:
    return RunContext.open(RunOptions(repo=repo, remote=remote, environ=environ or {}))


def test_on_a_laptop(clone: ObjectStore) -> None:
    context = opened(clone.git.folder, {"REDIS_PORT": "1"})

    assert context.head == clone.commit({"a/f": "x"})
    assert context.branch == "refs/heads/main"
    assert context.forge_pipeline.forge == ""
    assert context.shared.remote is None
    assert context.environ == {"REDIS_PORT": "1"}


def test_from_a_folder_below(clone: ObjectStore) -> None:
    below = clone.git.folder / "a"
    below.mkdir()

    assert opened(below).git.folder == clone.git.folder


@pytest.mark.parametrize(
    ("head", "environ", "expected"),
    [
        ("ref: refs/heads/other", {}, "refs/heads/other"),
        ("", {}, "refs/heads/main"),
        ("", {"GITLAB_CI": "1", "CI_COMMIT_BRANCH": "trunk"}, "refs/heads/trunk"),
        ("ref: refs/heads/other", {"GITLAB_CI": "1", "CI_COMMIT_BRANCH": "x"}, "refs/heads/x"),
        ("ref: refs/heads/other", {"GITLAB_CI": "1"}, "refs/heads/other"),
    ],
)
def test_the_branch_is_that_of_the_forge_or_the_one_checked_out(
    clone: ObjectStore, head: str, environ: Mapping[str, str], expected: str
) -> None:
    """Without either, as in a pipeline's detached checkout, it is main."""
    commit = clone.ref("refs/heads/other", clone.commit({"a/f": "x"}))
    (clone.folder / "HEAD").write_text(f"{head or commit}\n")

    assert opened(clone.git.folder, environ).branch == expected


def test_there_is_nothing_to_run_in(tmp_path: Path, clone: ObjectStore) -> None:
    empty = ObjectStore.create(tmp_path / "empty", bare=False)

    with pytest.raises(GitError, match="is not in a git repository"):
        opened(tmp_path)
    with pytest.raises(GitError, match="HEAD is no commit"):
        opened(empty.git.folder)
    with pytest.raises(GitError, match="has no remote 'other'"):
        opened(clone.git.folder, remote="other")
