"""What is decided about VCS packages, and what is remembered of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from caur_ci.config import PackageConfig
from caur_ci.config.interval import VcsInterval, read_interval
from caur_ci.update.source import FindingKind, FollowedPackage, SourceFinding
from caur_ci.update.vcs.seen import VcsSeen
from caur_ci.update.vcs.source import COMMIT, GONE_AFTER, VcsSource, is_vcs_package
from caur_ci.update.vcs.tip import Tip, TipProblem, TipTrouble

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from caur_ci.update.vcs.entries import Place
    from caur_ci.update.vcs.finding import TipFinder

NOW = 1_700_000_000.0  # 22:13:20 UTC
DAY = 86_400
MAIN, LIB = "https://h.org/main", "https://h.org/lib"
OLD, NEW = "a" * 40, "b" * 40


class World:
    """One package, what is upstream, and runs that remember as on-schedule does."""

    def __init__(self, *urls: str, interval: str = "", own: str = "") -> None:
        self.upstream: dict[str, Tip | TipProblem] = {}
        self.urls = urls or (MAIN,)
        self.interval = read_interval(interval) if interval else None
        config = PackageConfig(vcs_interval=read_interval(own) if own else None)
        self.package = FollowedPackage(name="a-git", config=config, tree="t")
        self.now = NOW
        self.counted: Collection[Place] = ()

    def at(self, url: str, commit: str, branch: str = "main", total: int = 0) -> None:
        self.upstream[url] = Tip(commit, branch, total)

    def trouble(self, url: str, trouble: TipTrouble, reason: str = "no") -> None:
        self.upstream[url] = TipProblem(f"{url}: {reason}", trouble)

    def look(self) -> SourceFinding:
        lines = "".join(f"\tsource = git+{url}\n" for url in self.urls)
        source = VcsSource(
            cast("TipFinder", self),
            read_sources=lambda names: dict.fromkeys(names, (lines.encode(), b"")),
            interval=self.interval,
            now=self.now,
        )
        return source.look([self.package])["a-git"]

    def tips(
        self, places: Iterable[Place], *, counted: Collection[Place] = ()
    ) -> Mapping[Place, Tip | TipProblem]:
        """Take the place of the finder."""
        self.counted = counted
        return {place: self.upstream[place.url] for place in places}

    def remember(self, found: SourceFinding, *, builds: bool | None = None) -> None:
        """Do what on-schedule does with a finding."""
        assert found.vcs is not None
        builds = found.kind is FindingKind.BUILD if builds is None else builds
        commit = found.vcs.commit(builds=builds)
        self.package = replace(
            self.package,
            vcs=found.vcs.seen(builds=builds),
            state={COMMIT: commit} if commit else self.package.state,
        )

    def run(self) -> FindingKind:
        found = self.look()
        self.remember(found)
        return found.kind


@pytest.mark.parametrize(
    ("name", "config", "state", "expected"),
    [
        ("a-git", PackageConfig(), {}, True),
        ("a-svn", PackageConfig(), {}, True),
        ("a-hg", PackageConfig(), {}, True),
        ("a-bzr", PackageConfig(), {}, True),
        ("a", PackageConfig(force_vcs=True), {}, True),
        ("a", PackageConfig(), {COMMIT: OLD}, True),
        ("a", PackageConfig(), {}, False),
        ("git-a", PackageConfig(), {"CI_PKGBUILD_TIMESTAMP": "1"}, False),
    ],
)
def test_which_packages_are_followed(
    name: str, config: PackageConfig, state: dict[str, str], *, expected: bool
) -> None:
    package = FollowedPackage(name=name, config=config, tree="t", state=state)

    assert is_vcs_package(package) is expected


class TestMoves:
    """A branch moves, and the package is built once."""

    def test_first_sight_is_remembered_without_a_build(self) -> None:
        world = World()
        world.at(MAIN, OLD)

        assert world.run() is FindingKind.UNCHANGED
        assert world.package.vcs == VcsSeen(commits={MAIN: OLD})
        assert world.package.state == {COMMIT: OLD}

    def test_a_move_is_built_once_and_told(self) -> None:
        world = World()
        world.at(MAIN, OLD, "master")
        world.run()
        world.at(MAIN, NEW)

        found = world.look()

        assert found.kind is FindingKind.BUILD
        assert found.reason == f"main moved from {'a' * 12} to {'b' * 12}"
        world.remember(found)
        assert world.package.vcs == VcsSeen(commits={MAIN: NEW}, built=int(NOW))
        assert world.package.state == {COMMIT: NEW}
        assert world.run() is FindingKind.UNCHANGED

    def test_what_was_not_built_is_found_again(self) -> None:
        world = World()
        world.at(MAIN, OLD)
        world.run()
        world.at(MAIN, NEW)

        world.remember(world.look(), builds=False)

        assert world.package.state == {COMMIT: OLD}
        assert world.run() is FindingKind.BUILD

    def test_a_build_for_another_reason_has_the_newest_commits(self) -> None:
        world = World(interval="7d")
        world.at(MAIN, OLD)
        world.run()
        world.at(MAIN, NEW)

        world.remember(world.look(), builds=True)

        assert world.run() is FindingKind.UNCHANGED

    def test_each_source_counts_and_is_named(self) -> None:
        world = World(MAIN, LIB)
        world.at(MAIN, OLD)
        world.at(LIB, OLD)
        world.run()
        world.at(MAIN, NEW)
        world.at(LIB, NEW, "trunk")

        found = world.look()

        assert found.reason == (
            f"{MAIN}: main moved from {'a' * 12} to {'b' * 12}; "
            f"{LIB}: trunk moved from {'a' * 12} to {'b' * 12}"
        )
        world.remember(found)
        assert world.package.vcs.commits == {MAIN: NEW, LIB: NEW}
        assert world.package.state == {COMMIT: NEW}

    def test_a_source_that_is_new_is_no_move(self) -> None:
        world = World()
        world.at(MAIN, OLD)
        world.run()
        world.urls = (LIB, MAIN)
        world.at(LIB, NEW)

        assert world.run() is FindingKind.UNCHANGED
        assert world.package.state == {COMMIT: NEW}
        assert world.package.vcs.commits == {LIB: NEW, MAIN: OLD}

    def test_a_package_without_such_sources_is_left_alone(self) -> None:
        world = World(f"{MAIN}#tag=1")

        found = world.look()

        assert (found.kind, found.vcs) == (FindingKind.UNCHANGED, None)


class TestTurns:
    """The existing system knows CI_GIT_COMMIT only."""

    def test_what_it_built_last_is_where_we_begin(self) -> None:
        world = World(MAIN, LIB)
        world.package = replace(world.package, state={COMMIT: OLD})
        world.at(MAIN, NEW)
        world.at(LIB, OLD)

        found = world.look()

        assert found.kind is FindingKind.BUILD
        assert found.reason == f"main moved from {'a' * 12} to {'b' * 12}"

    def test_what_it_built_meanwhile_is_not_built_again(self) -> None:
        world = World()
        world.at(MAIN, OLD)
        world.run()
        world.package = replace(world.package, state={COMMIT: NEW})
        world.at(MAIN, NEW)

        assert world.run() is FindingKind.UNCHANGED
        assert world.package.vcs.commits == {MAIN: NEW}

    def test_a_state_that_was_lost_is_known_here(self) -> None:
        world = World()
        world.at(MAIN, OLD)
        world.run()
        world.package = replace(world.package, state={})
        world.at(MAIN, NEW)

        assert world.run() is FindingKind.BUILD


class TestTroubles:
    """What cannot be asked is told, and nothing is lost by it."""

    @pytest.mark.parametrize("trouble", [TipTrouble.UNREACHABLE, TipTrouble.UNUSABLE])
    def test_out_of_reach_builds_nothing_and_forgets_nothing(self, trouble: TipTrouble) -> None:
        world = World(MAIN, LIB)
        world.at(MAIN, OLD)
        world.at(LIB, OLD)
        world.run()
        before = world.package
        world.at(MAIN, NEW)
        world.trouble(LIB, trouble)

        found = world.look()

        assert (found.kind, found.reason) == (FindingKind.FAILED, f"{LIB}: no")
        world.remember(found)
        assert world.package == before
        world.at(LIB, OLD)
        assert world.run() is FindingKind.BUILD

    def test_what_is_gone_for_long_is_told_once(self) -> None:
        world = World()
        world.at(MAIN, OLD)
        world.run()
        world.trouble(MAIN, TipTrouble.ABSENT, "no such repository")

        kinds = [world.run() for _ in range(GONE_AFTER - 1)]
        told = world.look()
        world.remember(told)
        later = [world.run() for _ in range(3)]

        assert set(kinds) == {FindingKind.FAILED}
        assert told.kind is FindingKind.GONE
        assert told.reason == f"{MAIN}: no such repository, for {GONE_AFTER} runs now"
        assert set(later) == {FindingKind.UNCHANGED}
        assert world.package.state == {COMMIT: OLD}
        world.at(MAIN, NEW)
        assert world.run() is FindingKind.BUILD
        assert world.package.vcs.absent == 0

    def test_sources_that_break_the_reader_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: bytes) -> None:
            raise RecursionError

        monkeypatch.setattr("caur_ci.update.vcs.source.followed_sources", broken)

        found = World().look()

        assert (found.kind, found.vcs) == (FindingKind.UNCHANGED, None)
        assert found.remarks == ("its sources cannot be read: RecursionError()",)

    def test_a_tool_that_is_missing_is_told_and_the_rest_followed(self) -> None:
        world = World(MAIN, LIB)
        world.at(MAIN, OLD)
        world.trouble(LIB, TipTrouble.NO_TOOL, "no tool")
        world.run()
        world.at(MAIN, NEW)

        found = world.look()

        assert found.kind is FindingKind.BUILD
        assert found.remarks == (f"{LIB}: no tool",)


class TestThrottle:
    """CI_VCS_INTERVAL: builds wait for their turn, and none is lost."""

    @staticmethod
    def moved(interval: str, *, built: int = 0, own: str = "") -> World:
        world = World(interval=interval, own=own)
        world.at(MAIN, OLD, total=100)
        world.run()
        world.package = replace(world.package, vcs=replace(world.package.vcs, built=built))
        world.at(MAIN, NEW, total=101)
        return world

    def test_days_pass_between_builds(self) -> None:
        world = self.moved("3d", built=int(NOW) - 2 * DAY)

        found = world.look()

        assert found.kind is FindingKind.WAITING
        assert found.reason == (
            "new commits wait for their turn: one build in 3 days (CI_VCS_INTERVAL)"
        )
        world.remember(found)
        assert world.package.state == {COMMIT: OLD}
        world.now += DAY
        assert world.run() is FindingKind.BUILD
        world.at(MAIN, "c" * 40)
        assert world.run() is FindingKind.WAITING

    def test_what_went_back_need_not_be_built(self) -> None:
        world = self.moved("3d", built=int(NOW))
        assert world.run() is FindingKind.WAITING
        world.at(MAIN, OLD)

        assert world.run() is FindingKind.UNCHANGED

    @pytest.mark.parametrize(
        ("hours", "kind"),
        [
            ("22-6", FindingKind.BUILD),
            ("6-22", FindingKind.WAITING),
            ("23-6@Europe/Berlin", FindingKind.BUILD),  # 23:13 there
            ("0-23@Europe/Berlin", FindingKind.WAITING),
        ],
    )
    def test_the_hour_has_to_come(self, hours: str, kind: FindingKind) -> None:
        assert self.moved(hours).run() is kind

    def test_commits_are_counted_where_somebody_tells_how_many(self) -> None:
        world = self.moved("5c")
        assert {place.url for place in world.counted} == {MAIN}
        assert world.run() is FindingKind.WAITING
        world.at(MAIN, "c" * 40, total=105)

        assert world.run() is FindingKind.BUILD
        assert world.package.vcs == VcsSeen(commits={MAIN: "c" * 40}, built=int(NOW), total=105)

    def test_moves_are_counted_otherwise(self) -> None:
        world = World(interval="3c")
        kinds = []
        for commit in "abbccde":
            world.at(MAIN, commit * 40)
            kinds.append(world.run().value)

        assert kinds == ["unchanged", *["waiting"] * 4, "build", "waiting"]

    def test_the_packages_own_word_counts(self) -> None:
        assert self.moved("", own="3d", built=int(NOW)).run() is FindingKind.WAITING
        assert self.moved("3d", own="none", built=int(NOW)).run() is FindingKind.BUILD

    def test_all_limits_have_to_be_kept(self) -> None:
        assert self.moved("3d 6-22").run() is FindingKind.WAITING
        assert self.moved("3d 22-6").run() is FindingKind.BUILD
        assert self.moved("3d 22-6", built=int(NOW)).run() is FindingKind.WAITING


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("none", VcsInterval()),
        ("7d", VcsInterval(days=7)),
        ("20c 7d", VcsInterval(days=7, commits=20)),
        ("22-06", VcsInterval(hours=(22, 6))),
        ("7d\t9-17@Europe/Berlin", VcsInterval(days=7, hours=(9, 17), zone="Europe/Berlin")),
    ],
)
def test_intervals_are_read(text: str, interval: VcsInterval) -> None:
    assert read_interval(text) == interval


@pytest.mark.parametrize("text", ["7d 3d", "1c 2c", "1-2 3-4", "5-5", "1-2@Nowhere/Land"])
def test_intervals_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"each kind|hours that differ|time zone"):
        read_interval(text)
