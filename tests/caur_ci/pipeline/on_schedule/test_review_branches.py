"""What becomes of the branches `update-PKG`, ours and those of others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.config import PackageConfig
from caur_ci.git import Identity, RefUpdate
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.review_branches import ReviewBranches, ReviewChanges
from caur_ci.pipeline.shared.memory.own_commits import ReviewBranch
from caur_ci.update.source import FollowedPackage
from tests.caur_ci.pipeline.on_schedule.planned import planned_for

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore

ME = Identity("Me", "me@example.org")
FILES = {".ci/config": "x", "a/f": "1", "b/f": "1"}
WHY = ("f is new", "g was removed")
BRANCH = "refs/heads/update-a"
WAITS = (ScheduleAction.REVIEW, ScheduleAction.HELD)
MOVES = (ScheduleAction.UPDATE, *WAITS)


@dataclass
class Branches:
    """The branches of a test, with package `a` at `base` as it was when they were made."""

    store: ObjectStore
    there: dict[str, str] = field(default_factory=dict)
    ours: dict[str, ReviewBranch] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.store.commit(FILES)

    def put(self, name: str, content: str, *, ours: bool) -> str:
        """Let there be a branch, ours or somebody else's; return its commit."""
        commit = self.store.commit({**FILES, f"{name}/f": content}, self.base, message=f"{ours}")
        self.there[name] = commit
        if ours:
            tree = self.store.tree({"f": content})
            self.ours[name] = ReviewBranch(commit=commit, base=self.base, tree=tree)
        return commit

    def changes(
        self,
        action: ScheduleAction = ScheduleAction.UNCHANGED,
        content: str = "2",
        *,
        base: str = "",
        merges: str = "",
        rejected: tuple[str, ...] = (),
    ) -> ReviewChanges:
        """Return what becomes of them, where this is done about package `a`."""
        package = FollowedPackage(
            name="a", config=PackageConfig(), tree=self.store.tree({"f": "1"})
        )
        tree = self.store.tree({"f": content}) if content else ""
        planned = planned_for(package, action, tree=tree, reasons=WHY, link="https://e/1")
        branches = ReviewBranches(self.store.git, there=self.there, ours=self.ours, identity=ME)
        planned = replace(planned, merges=merges)
        return branches.changes(base or self.base, [planned], rejected=rejected)


@pytest.fixture
def branches(store: ObjectStore) -> Branches:
    return Branches(store)


class TestMaking:
    """A change that waits is on a branch, with what somebody should look at."""

    @pytest.mark.parametrize("action", WAITS)
    def test_a_new_branch_has_the_change_on_top_of_the_packages(
        self, branches: Branches, action: ScheduleAction
    ) -> None:
        changes = branches.changes(action)

        (update,) = changes.updates
        assert (update.ref, update.expected) == (BRANCH, None)
        assert branches.store.files(update.new) == {**FILES, "a/f": "2"}
        git = branches.store.git
        assert git.parents(update.new) == [branches.base]
        assert git.messages(None, update.new)[0].text == (
            "chore(update): a\n\n- f is new\n- g was removed\n\nhttps://e/1\n"
        )
        assert "Me <me@example.org>" in git.git("cat-file", "commit", update.new).decode()
        tree = branches.store.tree({"f": "2"})
        expected = ReviewBranch(commit=update.new, base=branches.base, tree=tree)
        assert changes.branches == {"a": expected}
        assert changes.notes == []

    def test_a_branch_that_has_the_change_stays(self, branches: Branches) -> None:
        branches.put("a", "2", ours=True)

        changes = branches.changes(ScheduleAction.REVIEW)

        assert changes == ReviewChanges((), branches.ours)

    def test_a_branch_with_an_older_change_is_replaced(self, branches: Branches) -> None:
        older = branches.put("a", "2", ours=True)

        changes = branches.changes(ScheduleAction.REVIEW, "3")

        (update,) = changes.updates
        assert (update.ref, update.expected) == (BRANCH, older)
        assert branches.store.files(update.new)["a/f"] == "3"
        assert changes.branches["a"].commit == update.new

    def test_a_branch_that_somebody_removed_is_made_again(self, branches: Branches) -> None:
        branches.put("a", "2", ours=True)
        branches.there.clear()

        changes = branches.changes(ScheduleAction.REVIEW)

        (update,) = changes.updates
        assert (update.ref, update.expected) == (BRANCH, None)
        assert changes.branches["a"].commit == update.new

    @pytest.mark.parametrize("content", ["2", "3"])
    def test_a_branch_of_somebody_else_is_left_alone(
        self, branches: Branches, content: str
    ) -> None:
        branches.put("a", content, ours=False)

        changes = branches.changes(ScheduleAction.REVIEW)

        assert changes == ReviewChanges((), {}, frozenset({"a"}))
        assert changes.notes == ["branch update-a is not as it was made here; it is left alone"]

    def test_a_branch_of_ours_that_somebody_changed_is_theirs(self, branches: Branches) -> None:
        branches.put("a", "2", ours=True)
        branches.put("a", "2 and more", ours=False)

        changes = branches.changes(ScheduleAction.REVIEW, "3")

        assert changes == ReviewChanges((), {}, frozenset({"a"}))


class TestRemoving:
    """A branch goes when there is nothing left to look at."""

    def removed(self, branches: Branches, changes: ReviewChanges) -> bool:
        """Tell whether the branch of `a` is removed; it stays otherwise."""
        if changes.updates:
            assert changes == ReviewChanges((RefUpdate(BRANCH, "", branches.there["a"]),))
        return bool(changes.updates)

    def test_ours_when_it_was_merged(self, branches: Branches) -> None:
        branches.put("a", "2", ours=True)
        merged = branches.store.commit({**FILES, "a/f": "2"})

        assert self.removed(branches, branches.changes(base=merged))

    def test_ours_when_the_package_was_updated_otherwise(self, branches: Branches) -> None:
        branches.put("a", "2", ours=True)

        assert self.removed(branches, branches.changes(ScheduleAction.UPDATE, "3"))

    def test_ours_when_the_package_is_gone(self, branches: Branches) -> None:
        branches.put("a", "2", ours=True)

        assert self.removed(branches, branches.changes(base=branches.store.commit({"b/f": "1"})))

    @pytest.mark.parametrize("action", [one for one in ScheduleAction if one not in MOVES])
    def test_ours_stays_while_it_waits(self, branches: Branches, action: ScheduleAction) -> None:
        branches.put("a", "2", ours=True)

        changes = branches.changes(action)

        assert changes == ReviewChanges((), branches.ours)

    def test_ours_stays_while_it_is_on_hold(self, branches: Branches) -> None:
        branches.put("a", "2", ours=True)

        assert branches.changes(ScheduleAction.HELD, "") == ReviewChanges((), branches.ours)

    def test_ours_stays_in_the_run_that_merges_it_and_goes_with_the_next(
        self, branches: Branches
    ) -> None:
        commit = branches.put("a", "2", ours=True)
        merged = branches.store.commit({**FILES, "a/f": "2"}, branches.base, commit)

        now = branches.changes(ScheduleAction.UPDATE, base=merged, merges=commit)

        assert now == ReviewChanges((), branches.ours)
        assert self.removed(branches, branches.changes(base=merged))

    def test_ours_when_it_was_rejected(self, branches: Branches) -> None:
        branches.put("a", "2", ours=True)

        assert self.removed(branches, branches.changes(rejected=("a",)))

    def test_not_that_of_somebody_else(self, branches: Branches) -> None:
        branches.put("a", "2", ours=False)

        assert not self.removed(branches, branches.changes(rejected=("a",)))

    def test_a_rejected_one_is_replaced_by_a_newer_change(self, branches: Branches) -> None:
        older = branches.put("a", "2", ours=True)

        (update,) = branches.changes(ScheduleAction.REVIEW, "3", rejected=("a",)).updates

        assert (update.expected, branches.store.files(update.new)["a/f"]) == (older, "3")

    @pytest.mark.parametrize("action", [ScheduleAction.UNCHANGED, ScheduleAction.UPDATE])
    def test_that_of_somebody_else_only_when_nothing_is_left_to_merge(
        self, branches: Branches, action: ScheduleAction
    ) -> None:
        branches.put("a", "2", ours=False)
        merged = branches.store.commit({**FILES, "a/f": "2"})
        gone = branches.store.commit({"b/f": "1"})

        assert not self.removed(branches, branches.changes(action))
        assert not self.removed(branches, branches.changes(action, base=gone))
        assert self.removed(branches, branches.changes(action, base=merged))

    def test_branches_of_packages_that_this_run_did_not_look_at_stay(
        self, branches: Branches
    ) -> None:
        branches.put("b", "2", ours=True)

        changes = branches.changes(ScheduleAction.REVIEW)

        assert [update.ref for update in changes.updates] == [BRANCH]
        assert set(changes.branches) == {"a", "b"}
