"""VCS packages in runs of on-schedule: built when a branch moved, also those of the AUR."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from caur_ci.environment import Secrets
from caur_ci.git import GitRepository
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shared.state_branch import StateBranch
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.support.git import Checkout, git
from tests.support.git_mirror import Trouble
from tests.support.upstream import files_of, upstream
from tests.support.upstreams import Upstreams, upstreams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class VcsWorld(ScheduleWorld):
    """The same with upstream repositories, each named after its package."""

    upstream: Upstreams

    def begin_with(
        self, *own: str, aur: tuple[str, ...] = (), more: dict[str, str] | None = None
    ) -> None:
        """Commit packages that follow a branch, those of `aur` from there; and run once."""
        self.outside.sources |= {name: self.source(name) for name in aur}
        for name in (*own, *aur):
            self.upstream.push(f"/{name}")
        files = {
            f"{name}__{path}": text
            for name in own
            for path, text in files_of(name, "1-1", source=self.source(name)).items()
        }
        self.begin(dict.fromkeys(aur, "1-1"), **{**files, **(more or {})})
        self.run()

    def source(self, name: str) -> str:
        return f"git+{self.upstream.url}/{name}"

    def state(self, name: str) -> dict[str, str]:
        remote = GitRepository.open(self.remote)
        return StateBranch.read(remote, remote.resolve("refs/heads/state")).values(name)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[VcsWorld]:
    with upstream(tmp_path / "upstream") as outside, upstreams() as repositories:
        made = VcsWorld(Checkout.create(tmp_path / "world"), outside)
        made.upstream = repositories
        yield made


def test_a_branch_that_moved_is_built_once(world: VcsWorld) -> None:
    world.begin_with("a-git", "b-git")
    first = world.upstream.repos["/a-git"].branches["main"]
    assert world.asked() == []
    assert world.state("a-git") == {"CI_GIT_COMMIT": first}
    tip = world.tip()
    new = world.upstream.push("/a-git")

    result = world.run()

    assert actions(result) == {"a-git": ScheduleAction.BUILD}
    assert reasons(result) == {"a-git": f"main moved from {first[:12]} to {new[:12]}"}
    assert world.asked() == [("a-git",)]
    assert (world.tip(), world.tag_is_at_tip()) == (tip, True)
    assert world.state("a-git") == {"CI_GIT_COMMIT": new}
    (entry,) = world.memory().ledger.about("a-git")
    assert (entry.decision, entry.reason) == ("build", reasons(result)["a-git"])
    refs = git(world.remote, "for-each-ref")
    assert not world.run().published
    assert git(world.remote, "for-each-ref") == refs


def test_new_files_and_new_commits_are_one_build(world: VcsWorld) -> None:
    world.begin_with(aur=("a-git",))
    new = world.upstream.push("/a-git")
    world.outside.push({"a-git": "2-1"})

    result = world.run()

    assert actions(result) == {"a-git": ScheduleAction.UPDATE}
    assert "main moved" in reasons(result)["a-git"]
    assert world.asked() == [("a-git",)]
    assert world.state("a-git") == {
        "CI_GIT_COMMIT": new,
        "CI_PKGBUILD_TIMESTAMP": str(world.outside.now),
    }
    assert actions(world.run()) == {}


def test_an_upstream_out_of_reach_costs_no_update(world: VcsWorld) -> None:
    world.begin_with("own-git", aur=("a-git", "b-git"), more={".ci__aur-state": "5\n"})
    world.upstream.troubles.append(Trouble(path="/a-git", status=503))
    world.upstream.push("/b-git")
    world.outside.push({"a-git": "2-1"})

    result = world.run()

    assert actions(result) == {"a-git": ScheduleAction.UPDATE, "b-git": ScheduleAction.BUILD}
    assert "answered with status 503" in reasons(result)["a-git"]
    assert world.file(".ci/aur-state") == str(world.outside.now)
    assert actions(world.run()) == {"a-git": ScheduleAction.FAILED}
    world.upstream.troubles.clear()
    assert actions(world.run()) == {}


def test_the_aur_out_of_reach_costs_no_build(world: VcsWorld) -> None:
    world.begin_with(aur=("a-git", "b-git"), more={".ci__aur-state": "5\n"})
    world.outside.push({"a-git": "2-1", "b-git": "2-1"})
    world.outside.mirror.rename(world.outside.mirror.with_suffix(".away"))
    world.upstream.push("/a-git")

    result = world.run()

    assert actions(result) == {"a-git": ScheduleAction.BUILD, "b-git": ScheduleAction.FAILED}
    assert world.file(".ci/aur-state") == "5"
    world.outside.mirror.with_suffix(".away").rename(world.outside.mirror)
    both = dict.fromkeys(("a-git", "b-git"), ScheduleAction.UPDATE)
    assert actions(world.run()) == both


def test_files_in_review_do_not_keep_commits_from_being_built(world: VcsWorld) -> None:
    world.begin_with(aur=("a-git",))
    config = world.outside.settings + "BUILD_REPO=s\nREPO_NAME=t\nCI_HUMAN_REVIEW=true\n"
    world.commit("ci: review", {".ci/config": config})
    before = world.upstream.repos["/a-git"].branches["main"]
    new = world.upstream.push("/a-git")
    world.outside.push({"a-git": "2-1"}, note="curl example.org | sh")

    assert actions(world.run()) == {"a-git": ScheduleAction.HELD}
    assert world.state("a-git")["CI_GIT_COMMIT"] == before
    assert actions(world.run()) == {"a-git": ScheduleAction.BUILD}
    assert world.state("a-git")["CI_GIT_COMMIT"] == new


def test_packages_with_a_trigger_are_built_by_it(world: VcsWorld) -> None:
    world.begin_with("a-git", more={"a-git__.CI__config": "CI_ON_TRIGGER=daily\n"})
    before = world.state("a-git")
    world.upstream.push("/a-git")

    assert actions(world.run()) == {}
    assert world.state("a-git") == before
    assert actions(world.trigger("daily")) == {"a-git": ScheduleAction.BUILD}


def test_one_package_can_be_looked_at_alone(world: VcsWorld) -> None:
    world.begin_with("a-git", "b-git")
    world.upstream.push("/a-git")
    world.upstream.push("/b-git")
    asked = len(world.upstream.requests)

    assert actions(world.run(only=("a-git",))) == {"a-git": ScheduleAction.BUILD}

    assert world.upstream.requests[asked:] == [("/a-git", "ls-refs")]
    assert actions(world.run()) == {"b-git": ScheduleAction.BUILD}


def test_builds_wait_for_their_turn(world: VcsWorld) -> None:
    world.begin_with("a-git", "b-git", more={"b-git__.CI__config": "CI_VCS_INTERVAL=none\n"})
    config = f"{world.file('.ci/config')}\nCI_VCS_INTERVAL=2c\n"
    world.commit("ci: seldom", {".ci/config": config})
    for name in ("/a-git", "/b-git"):
        world.upstream.push(name)

    result = world.run()

    assert actions(result) == {"a-git": ScheduleAction.WAITING, "b-git": ScheduleAction.BUILD}
    assert reasons(result)["a-git"].endswith("after 2 commits (CI_VCS_INTERVAL)")
    world.upstream.push("/a-git")
    assert actions(world.run()) == {"a-git": ScheduleAction.BUILD}


def test_a_recorded_run_needs_nobody(world: VcsWorld, tmp_path: Path) -> None:
    token = "ghp_not_to_be_written"
    world.begin_with("a-git", "b-git", "c-git")
    world.upstream.push("/a-git")
    world.upstream.troubles.append(Trouble(path="/b-git", status=404))
    recording = tmp_path / "recording"
    secrets = Secrets({"GITHUB_TOKEN": token})
    live = world.run(dry_run=True, record=recording, secrets=secrets)
    world.upstream.repos.clear()
    asked = len(world.upstream.requests)

    replayed = world.run(replay=recording)

    assert replayed.plan == live.plan
    assert actions(live) == {"a-git": ScheduleAction.BUILD, "b-git": ScheduleAction.FAILED}
    assert len(world.upstream.requests) == asked
    kept = [path.read_bytes() for path in recording.rglob("*") if path.is_file()]
    assert not any(token.encode() in content for content in kept)
    shutil.rmtree(recording)
