"""The refs at which runs meet, on a remote and in the repository itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import GitError, TemporaryError
from caur_ci.git import Credentials, Identity, RefUpdate, Remote
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH, Memory
from caur_ci.pipeline.shared.memory.seen import SeenPackages
from caur_ci.pipeline.shared.refs import (
    SCHEDULED_TAG,
    RefSnapshot,
    SharedRepository,
)
from caur_ci.pipeline.shared.state_branch import STATE_BRANCH
from caur_ci.update.source import LastSeen
from tests.support.objects import MISSING, ObjectStore

if TYPE_CHECKING:
    from pathlib import Path

ME = Identity("Me", "me@example.org")
MAIN = "refs/heads/main"
SEEN = Memory(seen=SeenPackages().updated({"a": LastSeen(commit="1")}))


@pytest.fixture
def there(tmp_path: Path) -> ObjectStore:
    """The remote `origin` of `store`."""
    return ObjectStore.create(tmp_path / "origin.git")


@pytest.fixture
def far(store: ObjectStore, there: ObjectStore) -> SharedRepository:
    """Where runs in `store` meet others: at `there`."""
    with (store.folder / "config").open("a") as config:
        config.write(f'[remote "origin"]\n\turl = {there.folder.as_uri()}\n')
    return SharedRepository(store.git, Remote(store.git, "origin"))


@pytest.fixture
def near(store: ObjectStore) -> SharedRepository:
    """Where runs in `store` meet others: there itself."""
    return SharedRepository(store.git, None)


def ref(store: ObjectStore, name: str) -> str | None:
    return store.git.object_id(name)


class TestOpening:
    """Which remote it is."""

    @pytest.mark.parametrize(
        ("configured", "asked", "expected"),
        [
            ([], None, None),
            (["other"], None, None),
            (["origin", "other"], None, "origin"),
            (["origin", "other"], "other", "other"),
        ],
    )
    def test_its_name(
        self, store: ObjectStore, configured: list[str], asked: str | None, expected: str | None
    ) -> None:
        with (store.folder / "config").open("a") as config:
            config.writelines(f'[remote "{name}"]\n\turl = /nowhere\n' for name in configured)

        shared = SharedRepository.open(
            store.git, remote=asked, credentials=Credentials("me", "secret")
        )

        assert (shared.remote.name if shared.remote else None) == expected

    @pytest.mark.parametrize(
        ("configured", "hint"), [([], "It has no remote at all."), (["a", "b"], "It has: a, b.")]
    )
    def test_one_that_is_not_there(
        self, store: ObjectStore, configured: list[str], hint: str
    ) -> None:
        with (store.folder / "config").open("a") as config:
            config.writelines(f'[remote "{name}"]\n\turl = /nowhere\n' for name in configured)

        with pytest.raises(GitError, match="has no remote 'origin'") as caught:
            SharedRepository.open(store.git, remote="origin", credentials=None)
        assert caught.value.hint == hint


class TestSnapshot:
    """Where the refs are."""

    def test_it_survives_json(self) -> None:
        snapshot = RefSnapshot(tag="t", memory=None, branch="b", state="s", reviews={"a": "r"})

        assert RefSnapshot.from_dict(json.loads(json.dumps(snapshot.to_dict()))) == snapshot

    @pytest.mark.parametrize("remote", [True, False])
    def test_every_ref_that_runs_share(
        self,
        store: ObjectStore,
        there: ObjectStore,
        far: SharedRepository,
        near: SharedRepository,
        *,
        remote: bool,
    ) -> None:
        place, shared = (there, far) if remote else (store, near)
        one, two, three, four = place.commits("one", "two", "three", "four")
        tag = place.ref(SCHEDULED_TAG, place.tag(one))
        for name, commit in (
            (MAIN, one),
            (MEMORY_BRANCH, two),
            (STATE_BRANCH, three),
            ("refs/heads/update-a", four),
            ("refs/heads/update-x@y", one),
            ("refs/heads/updates", one),
            ("refs/heads/other/main", two),
            ("refs/tags/v1", one),
        ):
            place.ref(name, commit)

        reviews = {"a": four, "x@y": one}
        assert shared.snapshot(MAIN) == RefSnapshot(tag, two, one, three, reviews)
        assert shared.snapshot() == RefSnapshot(tag, two)

    @pytest.mark.parametrize("remote", [True, False])
    def test_no_ref_at_all(
        self, far: SharedRepository, near: SharedRepository, *, remote: bool
    ) -> None:
        shared = far if remote else near

        assert shared.snapshot(MAIN) == RefSnapshot(tag=None, memory=None)

    def test_the_objects_behind_branches_are_brought_here(
        self, store: ObjectStore, there: ObjectStore, far: SharedRepository
    ) -> None:
        branches = (MAIN, MEMORY_BRANCH, STATE_BRANCH)
        commits = [there.ref(name, there.commit({"f": name})) for name in branches]
        review = there.ref("refs/heads/update-a", there.commit({"f": "review"}))

        far.snapshot(MAIN)

        assert [store.git.resolve(commit) for commit in commits] == commits
        assert [store.files(commit) for commit in commits] == [{"f": name} for name in branches]
        assert store.git.resolve(review) is None
        assert store.git.refs() == {}

    def test_only_what_is_missing_is_fetched(
        self, store: ObjectStore, there: ObjectStore, far: SharedRepository
    ) -> None:
        here = store.commit({"f": "here"})
        missing = there.ref(MAIN, there.commit({"f": "there"}))

        far.fetch_missing([here, None])  # the remote has none of it: it would refuse
        far.fetch_missing([here, missing, None, missing])

        assert store.git.resolve(missing) == missing

    def test_without_a_remote_what_is_missing_stays_missing(self, near: SharedRepository) -> None:
        near.fetch_missing([MISSING])


class TestMemory:
    """Branch `caur` as it was when the run looked."""

    def test_it_is_read_once(self, store: ObjectStore, near: SharedRepository) -> None:
        one, other = SEEN.write(store.git, ME), Memory().write(store.git, ME)
        snapshot = RefSnapshot(tag=None, memory=one)

        first = near.memory(snapshot)

        assert first == SEEN
        assert near.memory(snapshot) is first
        assert near.memory(RefSnapshot(tag=None, memory=other)) == Memory()
        assert near.memory(RefSnapshot(tag=None, memory=None)) == Memory()
        assert near.memory(snapshot) == SEEN

    def test_what_is_remembered_already_is_not_written(
        self, store: ObjectStore, near: SharedRepository
    ) -> None:
        snapshot = RefSnapshot(tag=None, memory=SEEN.write(store.git, ME))

        assert near.memory_update(snapshot, SEEN, ME) == ()
        assert near.memory_update(RefSnapshot(None, None), Memory(), ME) == ()

    @pytest.mark.parametrize("there_already", [True, False])
    def test_what_is_new_replaces_what_was_seen(
        self, store: ObjectStore, near: SharedRepository, *, there_already: bool
    ) -> None:
        old = Memory().write(store.git, ME) if there_already else None

        (update,) = near.memory_update(RefSnapshot(tag=None, memory=old), SEEN, ME)

        assert (update.ref, update.expected) == (MEMORY_BRANCH, old)
        assert Memory.read(store.git, update.new) == SEEN


class TestChangingMemory:
    """A change is made again on top of what others were faster with."""

    def test_of_two_at_once_both_count(self, there: ObjectStore, far: SharedRepository) -> None:
        asked: list[Memory] = []

        def change(memory: Memory) -> Memory:
            asked.append(memory)
            if len(asked) == 1:
                there.git.update_refs({MEMORY_BRANCH: (SEEN.write(there.git, ME), None)})
            return replace(memory, recalled=frozenset({"b"}))

        memory = far.change_memory(change, identity=ME, push_options=())

        assert asked == [Memory(), SEEN]
        assert memory == replace(SEEN, recalled=frozenset({"b"}))
        assert Memory.read(there.git, ref(there, MEMORY_BRANCH)) == memory

    def test_where_others_are_faster_each_time_nothing_is_changed(
        self, there: ObjectStore, far: SharedRepository
    ) -> None:
        def change(memory: Memory) -> Memory:
            times.append(
                there.git.write_commit(there.git.empty_tree(), f"{len(times)}", identity=ME)
            )
            there.git.update_refs({MEMORY_BRANCH: (times[-1], ref(there, MEMORY_BRANCH))})
            return replace(memory, recalled=frozenset({"b"}))

        times: list[str] = []
        with pytest.raises(TemporaryError, match="first, 10 times"):
            far.change_memory(change, identity=ME, push_options=())

        assert ref(there, MEMORY_BRANCH) == times[-1]

    def test_what_changes_nothing_is_not_pushed(
        self, there: ObjectStore, far: SharedRepository
    ) -> None:
        assert far.change_memory(lambda it: it, identity=ME, push_options=()) == Memory()
        assert ref(there, MEMORY_BRANCH) is None


class TestUpdate:
    """All refs are set, or none."""

    @pytest.mark.parametrize("remote", [True, False])
    def test_they_are_set_made_and_removed(
        self,
        store: ObjectStore,
        there: ObjectStore,
        far: SharedRepository,
        near: SharedRepository,
        *,
        remote: bool,
    ) -> None:
        place, shared = (there, far) if remote else (store, near)
        one, two, unrelated = *store.commits("one", "two"), store.commit({}, message="three")
        place.commits("one")
        for name in (MAIN, STATE_BRANCH, "refs/heads/update-a"):
            place.ref(name, one)

        landed = shared.push(
            [
                RefUpdate(MAIN, two, one),
                RefUpdate(STATE_BRANCH, unrelated, one),
                RefUpdate("refs/heads/update-a", "", one),
                RefUpdate(SCHEDULED_TAG, two, None),
            ],
            [],
        )

        assert landed
        expected = [two, unrelated, None, two]
        names = (MAIN, STATE_BRANCH, "refs/heads/update-a", SCHEDULED_TAG)
        assert [ref(place, name) for name in names] == expected
        assert ref(store, SCHEDULED_TAG) == two

    @pytest.mark.parametrize("remote", [True, False])
    @pytest.mark.parametrize("seen", ["one", None])
    def test_somebody_was_faster(
        self,
        store: ObjectStore,
        there: ObjectStore,
        far: SharedRepository,
        near: SharedRepository,
        *,
        remote: bool,
        seen: str | None,
    ) -> None:
        place, shared = (there, far) if remote else (store, near)
        one, two = store.commits("one", "two")
        theirs = place.ref(MAIN, place.commit({}, message="theirs"))

        landed = shared.push(
            [RefUpdate(SCHEDULED_TAG, two, None), RefUpdate(MAIN, two, one if seen else None)], []
        )

        assert not landed
        assert (ref(place, MAIN), ref(place, SCHEDULED_TAG)) == (theirs, None)
        assert ref(store, SCHEDULED_TAG) is None

    @pytest.mark.parametrize("remote", [True, False])
    def test_another_reason_is_an_error(
        self,
        store: ObjectStore,
        there: ObjectStore,
        far: SharedRepository,
        near: SharedRepository,
        *,
        remote: bool,
    ) -> None:
        place, shared = (there, far) if remote else (store, near)
        (one,) = store.commits("one")
        (place.folder / "refs" / "heads" / "main.lock").touch()

        with pytest.raises(GitError):
            shared.push([RefUpdate(MAIN, one, None)], [])
        assert ref(place, MAIN) is None

    def test_the_tag_of_this_clone_follows_from_wherever_it_was(
        self, store: ObjectStore, there: ObjectStore, far: SharedRepository
    ) -> None:
        one, two = store.commits("one", "two")
        there.ref(SCHEDULED_TAG, there.commits("one")[0])
        store.ref(SCHEDULED_TAG, store.commit({}, message="long ago"))

        assert far.push([RefUpdate(SCHEDULED_TAG, two, one), RefUpdate(MAIN, two, None)], [])

        assert ref(store, SCHEDULED_TAG) == two
        assert ref(store, MAIN) is None
