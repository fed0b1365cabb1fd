"""The commit with the updates: what is in it, what it follows, and what it takes the place of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.config import PackageConfig
from caur_ci.git import Identity
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.update_commit import BranchTip, UpdateCommit
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.outbox import Outbox
from caur_ci.pipeline.shared.memory.own_commits import OwnCommits, ReviewBranch
from caur_ci.request import BuildRequest
from caur_ci.update.source import FollowedPackage
from tests.caur_ci.pipeline.context import context_in
from tests.caur_ci.pipeline.on_schedule.planned import planned_for
from tests.support.objects import MISSING, ObjectStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate

ME = Identity("Me", "me@example.org")
FILES_CHANGE = (
    ScheduleAction.UPDATE,
    ScheduleAction.REVIEW,
    ScheduleAction.HELD,
    ScheduleAction.ALARM,
)
FILES = {".ci/aur-state": "5\n", ".ci/config": "X=1\n", "a/f": "1", "b/f": "1", "README": "r"}


def package(store: ObjectStore, name: str, content: str = "1") -> FollowedPackage:
    return FollowedPackage(name=name, config=PackageConfig(), tree=store.tree({"f": content}))


def planned(
    store: ObjectStore,
    name: str,
    action: ScheduleAction = ScheduleAction.UPDATE,
    content: str = "2",
) -> PlannedUpdate:
    tree = store.tree({"f": content})
    return planned_for(package(store, name), action, tree=tree, modified=9, state={"K": "v"})


def onto(
    store: ObjectStore,
    tip: str,
    updates: Sequence[PlannedUpdate],
    *,
    memory: Memory | None = None,
    overwrite: bool = False,
    watermark: int = 0,
    forge: str = "",
) -> BranchTip:
    context = context_in(store, pipeline=ForgePipeline(forge=forge))
    return UpdateCommit(context, identity=ME, watermark=watermark).onto(
        tip, updates, memory=memory or Memory(), overwrite=overwrite
    )


def message(store: ObjectStore, commit: str) -> str:
    return store.git.messages(None, commit)[0].text


class TestContent:
    """What is in the commit."""

    def test_updates_are_a_commit_on_the_tip(self, store: ObjectStore) -> None:
        tip = store.commit(FILES)

        made = onto(store, tip, [planned(store, "a")])

        assert (made.is_new, made.replaced) == (True, "")
        assert store.files(made.commit) == {**FILES, "a/f": "2"}
        assert store.git.parents(made.commit) == [tip]
        assert message(store, made.commit) == "chore(update): a\n"
        raw = store.git.git("cat-file", "commit", made.commit).decode()
        assert raw.count("Me <me@example.org>") == 2

    def test_where_nothing_changes_the_tip_stays(self, store: ObjectStore) -> None:
        tip = store.commit(FILES)
        others = [planned(store, "a", action) for action in ScheduleAction if action != "update"]

        assert onto(store, tip, others, watermark=9) == BranchTip(tip, tuple(others))
        assert onto(store, tip, []) == BranchTip(tip, ())

    def test_an_update_that_is_there_already_needs_no_commit(self, store: ObjectStore) -> None:
        tip = store.commit({**FILES, "a/f": "2"})
        updates = (planned(store, "a"),)

        assert onto(store, tip, updates) == BranchTip(tip, updates)

    def test_only_what_is_not_there_yet_is_named(self, store: ObjectStore) -> None:
        tip = store.commit({**FILES, "a/f": "2"})

        made = onto(store, tip, [planned(store, "a"), planned(store, "b")])

        assert message(store, made.commit) == "chore(update): b\n"

    def test_very_many_are_named_in_the_body_and_sorted(self, store: ObjectStore) -> None:
        names = ["e", "d", "c", "b", "a"]
        tip = store.commit({f"{name}/f": "1" for name in names})

        made = onto(store, tip, [planned(store, name) for name in names], forge="github")

        text = "chore(update): packages (5) [skip ci]\n\nchanged: a, b, c, d, e\n"
        assert message(store, made.commit) == text

    def test_the_watermark_moves_with_the_updates(self, store: ObjectStore) -> None:
        tip = store.commit(FILES)

        moved = onto(store, tip, [planned(store, "a")], watermark=9)

        expected = {**FILES, "a/f": "2", ".ci/aur-state": "9\n"}
        assert store.files(moved.commit) == expected


class TestOvertaken:
    """Packages that somebody changed meanwhile are theirs."""

    @pytest.mark.parametrize("tip_has", [{"a/f": "3"}, {"a": "a file"}, {}])
    @pytest.mark.parametrize("action", FILES_CHANGE)
    def test_they_wait(
        self, store: ObjectStore, action: ScheduleAction, tip_has: dict[str, str]
    ) -> None:
        tip = store.commit({**tip_has, "b/f": "1"})

        made = onto(store, tip, [planned(store, "a", action)])

        (one,) = made.planned
        assert made.commit == tip
        assert one.decision.action is ScheduleAction.WAITING
        assert "looked at again next time" in one.decision.reason
        assert (one.decision.builds, one.seen, one.state, one.tree) == (False, None, {}, "")

    def test_the_others_are_updated(self, store: ObjectStore) -> None:
        tip = store.commit({**FILES, "a/f": "3"})

        made = onto(store, tip, [planned(store, "a"), planned(store, "b")])

        assert store.files(made.commit) == {**FILES, "a/f": "3", "b/f": "2"}
        actions = [one.decision.action for one in made.planned]
        assert actions == [ScheduleAction.WAITING, ScheduleAction.UPDATE]

    @pytest.mark.parametrize("action", [one for one in ScheduleAction if one not in FILES_CHANGE])
    def test_what_changes_no_files_goes_on(
        self, store: ObjectStore, action: ScheduleAction
    ) -> None:
        updates = (planned(store, "a", action),)

        assert onto(store, store.commit({"a/f": "3"}), updates).planned == updates

    @pytest.mark.parametrize("content", ["1", "2"])
    def test_a_review_goes_on_while_the_package_is_as_it_was_or_is_to_be(
        self, store: ObjectStore, content: str
    ) -> None:
        updates = (planned(store, "a", ScheduleAction.REVIEW),)

        assert onto(store, store.commit({"a/f": content}), updates).planned == updates


class TestOverwriting:
    """A commit of our own may be replaced, as long as nobody needs it."""

    def test_the_new_commit_takes_its_place(self, store: ObjectStore) -> None:
        base, tip, memory = own_commit(store)

        made = onto(store, tip, [planned(store, "b")], memory=memory, overwrite=True)

        assert (made.is_new, made.replaced) == (True, tip)
        assert store.git.parents(made.commit) == [base]
        assert store.files(made.commit) == {**FILES, "a/f": "2", "b/f": "2"}
        assert message(store, made.commit) == "chore(update): a, b\n"

    def test_what_is_no_package_is_not_named(self, store: ObjectStore) -> None:
        base = store.commit(FILES)
        tip = store.commit({**FILES, ".ci/aur-state": "7\n"}, base, message="chore(update): x\n")
        memory = Memory(commits=OwnCommits(last=tip))

        made = onto(store, tip, [planned(store, "b")], memory=memory, overwrite=True)

        assert message(store, made.commit) == "chore(update): b\n"

    def test_nobody_asked_for_it(self, store: ObjectStore) -> None:
        _, tip, memory = own_commit(store)

        made = onto(store, tip, [planned(store, "b")], memory=memory)

        assert (made.replaced, store.git.parents(made.commit)) == ("", [tip])

    def test_the_tip_is_not_the_commit_that_we_know(self, store: ObjectStore) -> None:
        base, tip, _ = own_commit(store)
        refuses(store, tip, Memory(commits=OwnCommits(last=base)))

    def test_we_know_of_no_commit(self, store: ObjectStore) -> None:
        _, tip, _ = own_commit(store)
        refuses(store, tip, Memory())

    def test_the_tip_is_a_merge(self, store: ObjectStore) -> None:
        base, other = store.commit(FILES), store.commit({})
        tip = store.commit(FILES, base, other, message="chore(update): a\n")
        refuses(store, tip, Memory(commits=OwnCommits(last=tip)))

    def test_the_tip_is_the_first_commit(self, store: ObjectStore) -> None:
        tip = store.commit(FILES, message="chore(update): a\n")
        refuses(store, tip, Memory(commits=OwnCommits(last=tip)))

    def test_what_it_follows_is_not_in_this_shallow_clone(self, store: ObjectStore) -> None:
        tip = store.commit(FILES, MISSING, message="chore(update): a\n")
        (store.folder / "shallow").write_text(f"{tip}\n")
        refuses(store, tip, Memory(commits=OwnCommits(last=tip)))

    def test_somebody_reworded_it(self, store: ObjectStore) -> None:
        tip = store.commit(FILES, store.commit(FILES), message="feat: mine\n")
        refuses(store, tip, Memory(commits=OwnCommits(last=tip)))

    def test_builds_that_were_asked_for_at_it_are_still_to_be_handed_over(
        self, store: ObjectStore
    ) -> None:
        _, tip, memory = own_commit(store)
        request = BuildRequest(
            request_id="1", created="", source_repo="s", target_repo="t", commit=tip
        )
        refuses(store, tip, replace(memory, outbox=Outbox((request,))))

    def test_a_review_is_on_top_of_it(self, store: ObjectStore) -> None:
        _, tip, memory = own_commit(store)
        review = ReviewBranch(commit=MISSING, base=tip, tree=MISSING)
        refuses(store, tip, replace(memory, commits=memory.commits.with_reviews({"x": review})))


class TestMerging:
    """What was reviewed is among the parents, so that forges know that it was merged."""

    def test_the_review_is_a_parent(self, store: ObjectStore) -> None:
        tip = store.commit(FILES)
        reviews = {name: store.commit(FILES, tip, message=name) for name in "ab"}
        merging = [replace(planned(store, name), merges=reviews[name]) for name in "ab"]

        made = onto(store, tip, merging)

        assert store.git.parents(made.commit) == [tip, reviews["a"], reviews["b"]]

    def test_not_where_somebody_changed_the_package(self, store: ObjectStore) -> None:
        tip = store.commit({**FILES, "a/f": "theirs"})
        merging = replace(planned(store, "a"), merges=MISSING)

        made = onto(store, tip, [merging])

        assert (made.commit, made.is_new) == (tip, False)
        assert made.planned[0].merges == ""

    def test_such_a_commit_is_not_replaced(self, store: ObjectStore) -> None:
        base = store.commit(FILES)
        review = store.commit(FILES, base)
        tip = store.commit({**FILES, "a/f": "2"}, base, review, message="chore(update): a\n")
        refuses(store, tip, Memory(commits=OwnCommits(last=tip)))


def own_commit(store: ObjectStore) -> tuple[str, str, Memory]:
    """Return a commit, one of ours on top of it, and the memory of that."""
    base = store.commit(FILES)
    tip = store.commit({**FILES, "a/f": "2"}, base, message="chore(update): a\n")
    return base, tip, Memory(commits=OwnCommits(last=tip))


def refuses(store: ObjectStore, tip: str, memory: Memory) -> None:
    """See that a commit follows the tip although it was asked to replace it."""
    made = onto(store, tip, [planned(store, "b")], memory=memory, overwrite=True)

    assert (made.is_new, made.replaced) == (True, "")
    assert store.git.parents(made.commit) == [tip]
    assert message(store, made.commit) == "chore(update): b\n"
