"""What follows from pushed commits, decided without pushing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.on_commit.commit_range import TagPosition
from caur_ci.pipeline.on_commit.planning import CommitPlanner
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.refs import RefSnapshot
from tests.caur_ci.pipeline.context import context_in
from tests.support.git import srcinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.pipeline.on_commit.plan import CommitPlan
    from tests.support.objects import ObjectStore

CONFIG = {".ci/config": "REPO_NAME=target\nBUILD_REPO=target\n"}


def package(name: str, content: str = "1", **more: str) -> dict[str, str]:
    files = {"PKGBUILD": content, ".SRCINFO": srcinfo(name)} | more
    return {f"{name}/{path}": text for path, text in files.items()}


BEFORE = {**CONFIG, **package("a"), **package("b"), **package("c")}


def planned(
    store: ObjectStore,
    after: Mapping[str, str],
    message: str = "feat: x",
    *,
    before: Mapping[str, str] = BEFORE,
    pipeline: ForgePipeline | None = None,
) -> CommitPlan:
    """Return the plan for a commit with the files `after`; the tag is at the one before it."""
    tag = store.commit(before)
    head = store.commit(after, tag, message=message)
    planner = CommitPlanner.at(context_in(store, head, pipeline=pipeline), head)
    return planner.plan(RefSnapshot(tag=tag, memory=None))


def told(plan: CommitPlan) -> dict[str, tuple[str, str]]:
    return {one.package: (one.action.value, one.reason) for one in plan.decisions}


def without(files: Mapping[str, str], name: str) -> dict[str, str]:
    return {path: text for path, text in files.items() if not path.startswith(f"{name}/")}


GONE = ("remove", "its folder was removed or renamed")


class TestChanges:
    """What a change of the top folder means."""

    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            (BEFORE, {}),
            (BEFORE | package("b", "2"), {"b": ("build", "changed")}),
            (BEFORE | {"b/deep/er/file": "x"}, {"b": ("build", "changed")}),
            (BEFORE | package("d"), {"d": ("build", "added")}),
            (without(BEFORE, "a"), {"a": GONE}),
            (without(BEFORE, "a") | package("z"), {"a": GONE, "z": ("build", "added")}),
            (without(BEFORE, "a") | {"a": "a file now"}, {"a": GONE}),
            (BEFORE | {"README.md": "x"}, {}),
            (BEFORE | {".github/x": "y", ".ci/more": "y"}, {}),
            (BEFORE | {"not a name/PKGBUILD": "x", "-x/PKGBUILD": "x"}, {}),
        ],
    )
    def test_of_one_commit(
        self, store: ObjectStore, after: dict[str, str], expected: dict[str, tuple[str, str]]
    ) -> None:
        plan = planned(store, after)

        assert told(plan) == expected
        builds = [name for name, (action, _) in expected.items() if action == "build"]
        removals = [name for name, (action, _) in expected.items() if action == "remove"]
        assert [one.pkgbase for one in plan.request.packages] == builds
        assert list(plan.request.remove) == removals
        assert plan.request.commit == plan.commits.head

    def test_a_file_that_becomes_a_folder_is_added(self, store: ObjectStore) -> None:
        plan = planned(store, BEFORE | package("d"), before={**BEFORE, "d": "a file"})

        assert told(plan) == {"d": ("build", "added")}

    def test_builds_come_first_and_each_kind_is_sorted(self, store: ObjectStore) -> None:
        after = {**CONFIG, **package("z"), **package("b", "2"), **package("d")}

        assert list(told(planned(store, after))) == ["b", "d", "z", "a", "c"]

    def test_only_the_difference_in_the_end_counts(self, store: ObjectStore) -> None:
        tag = store.commit(BEFORE)
        between = store.commit(BEFORE | package("a", "2") | package("d"), tag, message="one")
        head = store.commit(BEFORE | package("b", "2"), between, message="two")

        plan = CommitPlanner.at(context_in(store, head), head).plan(RefSnapshot(tag, None))

        assert told(plan) == {"b": ("build", "changed")}

    @pytest.mark.parametrize("ahead", [True, False])
    def test_what_was_scheduled_already_is_nothing(
        self, store: ObjectStore, *, ahead: bool
    ) -> None:
        head = store.commit(BEFORE, message="feat: x [deploy a nonsense]")
        tag = store.commit(package("a", "2"), head) if ahead else head

        plan = CommitPlanner.at(context_in(store, head), head).plan(RefSnapshot(tag, None))

        assert (plan.decisions, plan.request.is_empty) == ((), True)
        assert plan.commits.is_empty


class TestDeploys:
    """What the messages ask for comes on top."""

    def test_they_are_built_with_the_class_they_ask_for(self, store: ObjectStore) -> None:
        plan = planned(store, BEFORE | package("a", "2"), "feat: x [deploy b/3 a/2]")

        head = plan.commits.head[:12]
        assert told(plan) == {
            "a": ("build", "changed"),
            "b": ("build", f"[deploy] in {head}"),
        }
        assert [one.build_class for one in plan.decisions] == ["2", "3"]

    def test_a_package_that_is_gone_is_removed_not_built(self, store: ObjectStore) -> None:
        before = store.commit(BEFORE)
        asking = store.commit(BEFORE | {"x": "y"}, before, message="feat: x [deploy a]")
        head = store.commit(without(BEFORE, "a"), asking)

        plan = CommitPlanner.at(context_in(store, head), head).plan(RefSnapshot(before, None))

        assert told(plan) == {"a": GONE}
        assert f"commit {asking[:12]} asks to deploy a, which was removed since" in plan.notes

    def test_a_mistake_stops_everything(self, store: ObjectStore) -> None:
        with pytest.raises(InputError, match=r"there is no package '\.\.'"):
            planned(store, BEFORE | package("a", "2"), "feat: x [deploy ..]")

    def test_only_messages_after_the_tag_count(self, store: ObjectStore) -> None:
        old = store.commit(BEFORE, message="feat: x [deploy a]")
        head = store.commit(BEFORE, old, message="feat: y [deploy b]")

        plan = CommitPlanner.at(context_in(store, head), head).plan(RefSnapshot(old, None))

        assert list(told(plan)) == ["b"]


class TestConfiguration:
    """Configuration of the commit that is built."""

    def test_build_classes(self, store: ObjectStore) -> None:
        config = {".ci/config": f"{CONFIG['.ci/config']}CI_DEFAULT_CLASS=4\n"}
        own = package("a", "2", **{".CI/config": "BUILDER_CLASS=big\n"})

        plan = planned(store, BEFORE | config | own | package("b", "2"))

        assert {one.package: one.build_class for one in plan.decisions} == {"a": "big", "b": "4"}

    def test_a_file_that_cannot_be_used_costs_its_own_package(self, store: ObjectStore) -> None:
        broken = {".CI/config": "CI_FORCE_VCS=perhaps\n"}

        plan = planned(store, BEFORE | package("a", "2", **broken) | package("b", "2"))

        assert [package.pkgbase for package in plan.request.packages] == ["b"]
        (left_out,) = plan.left_out
        assert left_out.package == "a"
        assert left_out.reason.startswith("a/.CI/config:1")

    def test_one_of_a_package_that_is_not_built_stops_nothing(self, store: ObjectStore) -> None:
        before = BEFORE | package("a", **{".CI/config": "CI_FORCE_VCS=perhaps\n"})

        plan = planned(store, before | package("b", "2"), before=before)

        assert list(told(plan)) == ["b"]


class TestWarnings:
    """What is odd is told, and stops nothing."""

    def test_nothing_is_odd(self, store: ObjectStore) -> None:
        newer = {".SRCINFO": srcinfo("a").replace("pkgrel = 1", "pkgrel = 2")}

        plan = planned(store, BEFORE | package("a", "2", **newer))

        assert plan.warnings == ()
        assert plan.notes == ("looked at 1 commit since the tag `scheduled`",)

    @pytest.mark.parametrize("related", [True, False])
    def test_the_branch_was_rewritten(self, store: ObjectStore, *, related: bool) -> None:
        base = [store.commit({})] if related else []
        tag = store.commit(BEFORE, *base)
        head = store.commit(BEFORE | package("a", "2"), *base)

        plan = CommitPlanner.at(context_in(store, head), head).plan(RefSnapshot(tag, None))

        expected = TagPosition.REWRITTEN if related else TagPosition.UNRELATED
        assert plan.warnings[0] == expected.value
        assert told(plan) == {"a": ("build", "changed")}

    def test_the_pipeline_is_for_another_commit(self, store: ObjectStore) -> None:
        plan = planned(store, BEFORE, pipeline=ForgePipeline(commit="5" * 40))

        head = plan.commits.head[:12]
        assert plan.warnings == (f"the pipeline runs for {'5' * 12}, but HEAD is {head}",)

    @pytest.mark.parametrize(
        ("more", "warning"),
        [
            ({"not a name/PKGBUILD": "x"}, "the folder 'not a name' is ignored"),
            (package("Big"), "Big has capitals in its name"),
            (package("x@y"), "x@y is in schedule.json only: schedule-params.txt cannot"),
            ({"a/.SRCINFO": "?"}, "a/.SRCINFO"),
            ({".ci/config": "REPO_NAME=target\nCOLOUR=red\n"}, ".ci/config:2: COLOUR"),
            ({"a/.CI/config": "MOOD=good\n"}, "a/.CI/config:1: MOOD"),
        ],
    )
    def test_odd_things_in_the_repository(
        self, store: ObjectStore, more: dict[str, str], warning: str
    ) -> None:
        warnings = planned(store, BEFORE | more).warnings

        assert any(one.startswith(warning) for one in warnings), warnings

    def test_no_package_is_left(self, store: ObjectStore) -> None:
        plan = planned(store, CONFIG)

        assert [action for action, _ in told(plan).values()] == ["remove"] * 3
        (warning,) = plan.warnings
        assert warning.startswith("no package is left")
        assert "PARAMS_AUTOREPOREMOVE" not in plan.documents.schedule_params
