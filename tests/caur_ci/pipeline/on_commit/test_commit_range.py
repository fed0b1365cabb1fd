"""How the tag may lie to HEAD, also where history is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from caur_ci.errors import GitError
from caur_ci.pipeline.on_commit.commit_range import CommitRange, TagPosition, find_range
from tests.support.objects import MISSING, ObjectStore

if TYPE_CHECKING:
    from caur_ci.git import Remote


class FakeRemote:
    """Has all history of a store, and gives it away once it was asked for `needed` commits."""

    def __init__(self, store: ObjectStore, needed: int | None = 0) -> None:
        self._store = store
        self._needed = needed
        self.steps: list[int | None] = []
        self.fetched: list[str] = []

    def deepen(self, *_: str, by: int | None) -> None:
        self.steps.append(by)
        if by is None or (self._needed is not None and by >= self._needed):
            (self._store.folder / "shallow").unlink(missing_ok=True)

    def fetch(self, *names: str) -> None:
        self.fetched += names


def found(
    store: ObjectStore, head: str, tag: str | None, remote: FakeRemote | None = None
) -> CommitRange:
    return find_range(store.git, cast("Remote | None", remote), head=head, tag=tag)


def cut_off(store: ObjectStore, commit: str) -> None:
    """Let the store be a shallow clone in which `commit` seems to have no parents."""
    (store.folder / "shallow").write_text(f"{commit}\n")


class TestPositions:
    """Where all history is there."""

    def test_no_tag(self, store: ObjectStore) -> None:
        first, head = store.commits("one", "two")

        commits = found(store, head, None)

        assert commits == CommitRange(head, None, TagPosition.NO_TAG, first, None)
        assert not commits.is_empty

    def test_no_tag_and_no_commit_before(self, store: ObjectStore) -> None:
        (head,) = store.commits("one")

        empty = store.tree({})
        assert found(store, head, None) == CommitRange(head, None, TagPosition.NO_TAG, empty, None)

    def test_no_tag_and_a_merge_is_compared_with_its_first_parent(self, store: ObjectStore) -> None:
        ours, theirs = store.commit({}, message="ours"), store.commit({}, message="theirs")
        head = store.commit({}, ours, theirs)

        assert found(store, head, None).diff_base == ours

    def test_same(self, store: ObjectStore) -> None:
        _, head = store.commits("one", "two")

        for tag in (head, store.tag(head)):
            commits = found(store, head, tag)
            assert commits == CommitRange(head, head, TagPosition.SAME, head, head)
            assert commits.is_empty

    def test_behind(self, store: ObjectStore) -> None:
        tag, _, head = store.commits("one", "two", "three")

        for named in (tag, store.tag(tag)):
            commits = found(store, head, named)
            assert commits == CommitRange(head, tag, TagPosition.BEHIND, tag, tag)
            assert not commits.is_empty

    def test_behind_on_the_other_side_of_a_merge(self, store: ObjectStore) -> None:
        base, tag = store.commits("one", "two")
        head = store.commit({}, store.commit({}, base, message="other"), tag)

        assert found(store, head, tag).position is TagPosition.BEHIND

    def test_ahead(self, store: ObjectStore) -> None:
        head, tag = store.commits("one", "two")

        commits = found(store, head, tag)

        assert commits.position is TagPosition.AHEAD
        assert commits.is_empty

    def test_rewritten(self, store: ObjectStore) -> None:
        base, tag = store.commits("one", "two")
        head = store.commit({}, base, message="instead")

        commits = found(store, head, tag)

        assert commits == CommitRange(head, tag, TagPosition.REWRITTEN, tag, tag)
        assert not commits.is_empty

    def test_unrelated_has_the_messages_of_head_only(self, store: ObjectStore) -> None:
        tag, head = store.commit({}, message="there"), store.commit({}, message="here")

        commits = found(store, head, tag)

        assert commits == CommitRange(head, tag, TagPosition.UNRELATED, tag, None)
        assert not commits.is_empty

    def test_a_tag_that_stands_for_no_commit(self, store: ObjectStore) -> None:
        (head,) = store.commits("one")

        for tag in (store.tree({}), store.tag(store.tree({}), "tree"), MISSING):
            with pytest.raises(GitError, match="is no commit"):
                found(store, head, tag)

    def test_a_whole_clone_is_never_deepened(self, store: ObjectStore) -> None:
        tag, head = store.commit({}, message="there"), store.commit({}, message="here")
        remote = FakeRemote(store)

        found(store, head, tag, remote)

        assert (remote.steps, remote.fetched) == ([], [])


class TestShallow:
    """Where history is cut off, more of it is fetched until the question is answered."""

    @pytest.mark.parametrize(
        ("needed", "steps"),
        [
            (50, [50]),
            (51, [50, 500]),
            (501, [50, 500, 5000]),
            (5001, [50, 500, 5000, None]),
            (None, [50, 500, 5000, None]),
        ],
    )
    def test_more_and_more_is_fetched(
        self, store: ObjectStore, needed: int | None, steps: list[int | None]
    ) -> None:
        tag, _, head = store.commits("one", "two", "three")
        cut_off(store, head)
        remote = FakeRemote(store, needed)

        assert found(store, head, tag, remote).position is TagPosition.BEHIND
        assert remote.steps == steps

    def test_what_is_known_already_needs_nothing(self, store: ObjectStore) -> None:
        first, tag, head = store.commits("one", "two", "three")
        cut_off(store, tag)
        remote = FakeRemote(store)

        assert found(store, head, tag, remote).position is TagPosition.BEHIND
        assert found(store, tag, head, remote).position is TagPosition.AHEAD
        assert remote.steps == []
        assert found(store, head, first, remote).position is TagPosition.BEHIND

    def test_a_branch_that_was_rewritten_is_known_after_all_was_fetched(
        self, store: ObjectStore
    ) -> None:
        base, tag = store.commits("one", "two")
        head = store.commit({}, base, message="instead")
        cut_off(store, head)
        remote = FakeRemote(store, None)

        assert found(store, head, tag, remote).position is TagPosition.REWRITTEN
        assert remote.steps == [50, 500, 5000, None]

    def test_without_a_remote_what_is_there_has_to_do(self, store: ObjectStore) -> None:
        tag, _, head = store.commits("one", "two", "three")
        cut_off(store, head)

        assert found(store, head, tag).position is TagPosition.UNRELATED

    def test_a_tag_whose_commit_is_missing_is_fetched(self, store: ObjectStore) -> None:
        (head,) = store.commits("one")
        remote = FakeRemote(store)

        with pytest.raises(GitError, match="is no commit"):
            found(store, head, MISSING, remote)
        assert remote.fetched == [MISSING]

    def test_without_a_tag_the_parent_is_fetched(self, store: ObjectStore) -> None:
        parent = store.commit({}, message="parent")
        head = store.commit({}, parent)
        (path,) = store.folder.glob(f"objects/{parent[:2]}/{parent[2:]}")
        hidden = path.rename(path.with_suffix(".away"))
        cut_off(store, head)
        remote = FakeRemote(store)

        def deepen(*names: str, by: int | None) -> None:
            remote.steps.append(by)
            remote.fetched.extend(names)
            hidden.rename(path)

        remote.deepen = deepen  # type: ignore[method-assign]

        assert found(store, head, None, remote).diff_base == parent
        assert (remote.steps, remote.fetched) == ([1], [head])

    def test_without_tag_parent_and_remote_the_remedy_is_told(self, store: ObjectStore) -> None:
        head = store.commit({}, MISSING)
        cut_off(store, head)

        with pytest.raises(GitError, match="is not in this shallow clone") as caught:
            found(store, head, None)
        assert "--depth=2" in caught.value.hint
