"""The time in `.ci/aur-state`, and how far it may go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.config import PackageConfig, PkgbuildSource
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.watermark import read_watermark, watermark_after, with_watermark
from caur_ci.update.source import FindingKind, FollowedPackage, LastSeen
from tests.caur_ci.pipeline.on_schedule.planned import AUR, planned_for

if TYPE_CHECKING:
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from tests.support.objects import ObjectStore

UNFINISHED = (ScheduleAction.WAITING, ScheduleAction.FAILED)
GIT = PackageConfig(source=PkgbuildSource("git", "https://example.org/x.git"))


def planned(
    action: ScheduleAction,
    *,
    modified: int = 0,
    before: int = 0,
    config: PackageConfig = AUR,
) -> PlannedUpdate:
    package = FollowedPackage(name="a", config=config, tree="", seen=LastSeen(modified=before))
    return planned_for(package, action, modified=modified)


@pytest.mark.parametrize(
    ("content", "expected"), [("17\n", 17), ("17", 17), ("", 0), ("-1\n", 0), ("soon\n", 0)]
)
def test_what_a_commit_has(store: ObjectStore, content: str, expected: int) -> None:
    assert read_watermark(store.git, store.commit({".ci/aur-state": content})) == expected


def test_a_commit_without_one(store: ObjectStore) -> None:
    assert read_watermark(store.git, store.commit({".ci/config": "17\n"})) == 0


class TestHowFar:
    """It follows the newest package that was dealt with, and passes none that was not."""

    @pytest.mark.parametrize("action", [one for one in ScheduleAction if one not in UNFINISHED])
    def test_the_newest_that_was_seen_counts(self, action: ScheduleAction) -> None:
        assert watermark_after([planned(action, modified=9), planned(action, modified=8)], 5) == 9

    def test_what_was_seen_before_counts_where_nothing_is_new(self) -> None:
        assert watermark_after([planned(ScheduleAction.UNCHANGED, before=7)], 5) == 7

    def test_what_is_seen_now_replaces_what_was_seen_before(self) -> None:
        assert watermark_after([planned(ScheduleAction.UPDATE, modified=6, before=7)], 5) == 6

    @pytest.mark.parametrize("before", [9, 10])
    def test_it_never_goes_back(self, before: int) -> None:
        assert watermark_after([planned(ScheduleAction.UPDATE, modified=9)], before) == 0

    @pytest.mark.parametrize("action", UNFINISHED)
    def test_one_that_is_not_done_keeps_it_where_it_is(self, action: ScheduleAction) -> None:
        assert (
            watermark_after([planned(ScheduleAction.UPDATE, modified=9), planned(action)], 5) == 0
        )

    @pytest.mark.parametrize("action", UNFINISHED)
    def test_what_is_wrong_with_an_upstream_repository_does_not(
        self, action: ScheduleAction
    ) -> None:
        of_upstream = replace(planned(action), files=FindingKind.UNCHANGED)

        assert watermark_after([planned(ScheduleAction.UPDATE, modified=9), of_upstream], 5) == 9

    @pytest.mark.parametrize("files", [FindingKind.WAITING, FindingKind.FAILED])
    def test_a_build_for_new_commits_does_not_hide_files_that_wait(
        self, files: FindingKind
    ) -> None:
        built = replace(planned(ScheduleAction.BUILD), files=files)

        assert watermark_after([planned(ScheduleAction.UPDATE, modified=9), built], 5) == 0

    def test_one_on_hold_may_have_something_new(self) -> None:
        held = planned(ScheduleAction.HELD)

        assert watermark_after([planned(ScheduleAction.UPDATE, modified=9), held], 5) == 0
        seen = planned(ScheduleAction.HELD, modified=9)
        assert watermark_after([seen], 5) == 9

    @pytest.mark.parametrize("config", [GIT, PackageConfig()])
    def test_only_packages_of_the_aur_count(self, config: PackageConfig) -> None:
        of_aur = planned(ScheduleAction.UPDATE, modified=6)
        failed = planned(ScheduleAction.FAILED, config=config)
        newer = planned(ScheduleAction.UPDATE, modified=9, config=config)

        assert watermark_after([of_aur, failed, newer], 5) == 6

    def test_without_packages_it_stays(self) -> None:
        assert watermark_after([], 0) == 0


class TestWriting:
    """It is kept where the repository keeps it."""

    def written(self, store: ObjectStore, files: dict[str, str], watermark: int) -> dict[str, str]:
        entries = {entry.name: entry for entry in store.git.entries(store.commit(files))}
        return store.files(
            store.git.write_tree(with_watermark(store.git, entries, watermark).values())
        )

    def test_beside_the_other_files(self, store: ObjectStore) -> None:
        files = {".ci/aur-state": "5\n", ".ci/config": "x", "a/f": "y"}

        assert self.written(store, files, 9) == {**files, ".ci/aur-state": "9\n"}

    def test_anew(self, store: ObjectStore) -> None:
        files = {".ci/config": "x"}

        assert self.written(store, files, 9) == {**files, ".ci/aur-state": "9\n"}

    @pytest.mark.parametrize(
        ("files", "watermark"),
        [({".ci/aur-state": "5\n"}, 0), ({"a/f": "y"}, 9), ({".ci": "a file"}, 9)],
    )
    def test_not_where_there_is_nothing_to_write(
        self, store: ObjectStore, files: dict[str, str], watermark: int
    ) -> None:
        assert self.written(store, files, watermark) == files
