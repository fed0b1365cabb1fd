"""Decisions about bumps, and how they go with the decisions about sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE
from caur_ci.git.trees import LINK_MODE
from caur_ci.pipeline.on_schedule.bumps import BumpPlanner, PlannedBumps, merged
from caur_ci.pipeline.on_schedule.followed_repository import read_repository
from caur_ci.pipeline.on_schedule.libraries import LibraryNews
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision
from caur_ci.pipeline.shared.memory.libraries import LibraryMemory, LibraryStep, WaitingBumps
from tests.caur_ci.pipeline.on_schedule.planned import planned_for
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore

A = ScheduleAction


def decision(action: ScheduleAction, *, builds: bool) -> ScheduleDecision:
    return ScheduleDecision(
        package="a", action=action, reason=f"{action} it", builds=builds, remarks=("!",)
    )


BUMP = ScheduleDecision(package="a", action=A.BUMP, reason="icu", after="1-1.1", builds=True)
HELD = ScheduleDecision(package="a", action=A.HELD, reason="too many")


@pytest.mark.parametrize(
    ("other", "bump", "expected"),
    [
        (A.UNCHANGED, BUMP, [(A.BUMP, "icu; !", True)]),
        (A.UNCHANGED, HELD, [(A.HELD, "too many; !", False)]),
        (A.BUILD, BUMP, [(A.BUMP, "icu; build it; !", True)]),
        (A.BUILD, HELD, [(A.BUILD, "build it; !", True), (A.HELD, "too many", False)]),
        (A.UPDATE, BUMP, [(A.UPDATE, "update it; !; bumped to 1-1.1, icu", True)]),
        (A.UPDATE, HELD, [(A.UPDATE, "update it; !", True), (A.HELD, "too many", False)]),
        (A.REVIEW, BUMP, [(A.REVIEW, "review it; !", False), (A.BUMP, "icu", True)]),
        (A.FAILED, BUMP, [(A.FAILED, "failed it; !", False), (A.BUMP, "icu", True)]),
    ],
)
def test_what_is_told_of_one_package(
    other: ScheduleAction, bump: ScheduleDecision, expected: list[tuple[ScheduleAction, str, bool]]
) -> None:
    found = merged([decision(other, builds=other in {A.BUILD, A.UPDATE})], [bump])

    assert [(it.action, it.account, it.builds) for it in found] == expected
    assert sum(it.builds for it in found) <= 1


def test_others_stay_as_they_are() -> None:
    others = [
        ScheduleDecision(package="b", action=A.UNCHANGED, reason=""),
        ScheduleDecision(package="c", action=A.BUILD, reason="", builds=True),
    ]

    assert merged(others, [BUMP]) == [*others, BUMP]


def plan_in(store: ObjectStore, entries: list[TreeEntry], **files: str) -> PlannedBumps:
    """Return what is done about `a`, whose folder has these entries and files besides its own."""
    package = {f"a/{path}": text for path, text in files_of("a", "1-1").items()}
    more = {f"a/{path.replace('__', '/')}": text for path, text in files.items()}
    commit = store.commit({".ci/config": "", **package, **more})
    if entries:
        top = {entry.name: entry for entry in store.git.entries(commit)}
        folder = store.git.write_tree([*store.git.entries(top["a"].object_id), *entries])
        top["a"] = TreeEntry(top["a"].mode, folder, "a")
        commit = store.git.write_tree(top.values())
    repository = read_repository(store.git, commit)
    step = LibraryStep(library="icu", before="1-1", after="2-1", by="icu")
    news = LibraryNews(after=LibraryMemory(waiting=WaitingBumps({"a": (step,)})))
    planned = [planned_for(repository.packages["a"], A.UNCHANGED)]
    return BumpPlanner(store.git, repository, confirmed=False).plan(news, planned)


def test_a_package_without_configuration_gets_one(store: ObjectStore) -> None:
    (bump,) = plan_in(store, []).bumps

    (content,) = store.git.read_blobs([f"{bump.tree}:.CI/config"])
    assert content == b"CI_PACKAGE_BUMP=1-1/1\n"
    assert bump.reason == "global, triggered by icu (1-1 → 2-1)"


@pytest.mark.parametrize("kind", ["a file", "a link"])
def test_what_is_in_the_way_is_told(store: ObjectStore, kind: str) -> None:
    blob = store.git.write_blob(b"PKGBUILD")
    if kind == "a file":
        entry = TreeEntry(FILE_MODE, blob, ".CI")
    else:
        inner = store.git.write_tree([TreeEntry(LINK_MODE, blob, "config")])
        entry = TreeEntry("040000", inner, ".CI")

    (bump,) = plan_in(store, [entry]).bumps

    assert bump.tree == ""
    assert bump.decision.action is A.FAILED
    assert "it cannot be bumped for icu 1-1 → 2-1: a/.CI" in bump.decision.reason


def test_a_release_that_cannot_be_bumped_is_told(store: ObjectStore) -> None:
    srcinfo = files_of("a", "1-1")[".SRCINFO"].replace("pkgrel = 1", "pkgrel = 1.5")

    (bump,) = plan_in(store, [], **{".SRCINFO": srcinfo}).bumps

    assert bump.decision.action is A.FAILED
    assert "no whole number" in bump.decision.reason


def test_a_package_that_cannot_be_read_is_told(store: ObjectStore) -> None:
    (bump,) = plan_in(store, [], **{".SRCINFO": "nothing"}).bumps

    assert bump.decision.reason.endswith("its .SRCINFO cannot be read")
