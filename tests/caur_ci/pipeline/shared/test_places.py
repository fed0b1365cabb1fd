"""Where a run writes: behind no link, and what was published counts as that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import GitError, InputError
from caur_ci.git import GitRepository, RefUpdate
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from caur_ci.pipeline.shared.refs import SCHEDULED_TAG, SharedRepository
from tests.support.git import Checkout, git, srcinfo

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Checkout:
    made = Checkout.create(tmp_path / "world")
    made.commit(
        "feat: begin", {".ci/config": "REPO_NAME=r\n", "a/PKGBUILD": "", "a/.SRCINFO": srcinfo("a")}
    )
    made.push()
    return made


def test_documents_are_not_written_behind_a_link(made: Checkout, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (made.folder / ".ci" / "config").rename(outside / "config")
    (made.folder / ".ci").rmdir()
    (made.folder / ".ci").symlink_to(outside)
    made.commit("feat: a link")
    made.push()

    with pytest.raises(InputError, match="is a link"):
        on_commit(OnCommitOptions(repo=made.folder, default_names=True))
    assert [path.name for path in outside.iterdir()] == ["config"]


def test_a_lock_on_our_own_tag_does_not_undo_what_was_published(made: Checkout) -> None:
    lock = made.folder / ".git" / "refs" / "tags" / "scheduled.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    shared = SharedRepository.open(GitRepository.open(made.folder), remote=None, credentials=None)

    assert shared.push([RefUpdate(SCHEDULED_TAG, made.head(), None)], ())
    assert made.remote_ref(SCHEDULED_TAG) == made.head()


@pytest.mark.parametrize(
    ("prepare", "hint"),
    [
        ("receive.denyNonFastForwards=true", "receive.denyNonFastForwards false"),
        ("in the way", "`caur/…`"),
    ],
)
def test_refusals_of_a_remote_come_with_advice(made: Checkout, prepare: str, hint: str) -> None:
    on_commit(OnCommitOptions(repo=made.folder))
    if prepare == "in the way":
        git(made.folder, "push", "--quiet", "origin", ":caur", "HEAD:refs/heads/caur/feature")
    else:
        git(made.remote, "config", *prepare.split("="))
    made.commit("feat: more", {"b/PKGBUILD": "", "b/.SRCINFO": srcinfo("b")})
    made.push()

    with pytest.raises(GitError) as caught:
        on_commit(OnCommitOptions(repo=made.folder))
    assert hint in caught.value.hint
