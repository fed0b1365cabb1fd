"""`caur-ci broken` and `caur-ci rebuild`, on a repository that a run has looked at before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.git import GitRepository, Identity
from caur_ci.linkage import PackageLinkage
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH, Memory
from caur_ci.pipeline.shared.memory.libraries import LibraryMemory
from scheduler.history import History
from scheduler.job import Outcome
from tests.support.git import git, srcinfo
from tests.support.linked_world import LinkedWorld
from tests.support.past import START, past_job
from tests.support.queue import claimed, job, submit
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.queue import Queue
    from tests.support.git import Checkout

BUILD = "build() { :; }\n"


@dataclass
class Command:
    """Runs a command in the checkout."""

    checkout: Checkout
    capsys: pytest.CaptureFixture[str]
    err: str = ""

    def __call__(self, *arguments: str, expect: ExitCode = ExitCode.OK) -> str:
        code = run([*arguments, "--repo", str(self.checkout.folder)], Session())
        captured = self.capsys.readouterr()
        self.err = captured.err
        assert code == expect, captured
        return captured.out

    def json(self, *arguments: str, expect: ExitCode = ExitCode.OK) -> Any:  # noqa: ANN401
        return json.loads(self(*arguments, "--json", expect=expect))


@pytest.fixture
def command(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(checkout, capsys)


@pytest.fixture
def world(tmp_path: Path, checkout: Checkout) -> LinkedWorld:
    """Return a world in which a and b have lost libx.so.1, which they had when a run looked."""
    need_tools("bsdtar", "zstd")
    folder = tmp_path / "linked"
    folder.mkdir()
    world = LinkedWorld(folder)
    for name in ("a", "b"):
        needs = {"lib:libx.so.1": (f"usr/bin/{name}",)}
        world.publish_linkage(
            PackageLinkage(name=name, base=name, version="1-1", sha256="", needs=needs)
        )
    checkout.commit(
        "feat: libraries",
        {
            ".ci/config": f"REPO_NAME=target\nCI_REPO_DB={world.config.repo_db}\n"
            f"CI_LIB_DB={' '.join(world.config.lib_db)}\nCI_DEFAULT_CLASS=3\n",
            "a/PKGBUILD": BUILD,
            "a/.SRCINFO": srcinfo("a", "depends = b"),
            "b/PKGBUILD": BUILD,
            "b/.CI/config": "BUILDER_CLASS=9\n",
        },
    )
    world.distribution({"libx": ("1-1", ["usr/lib/libx.so.1"])})
    repository = GitRepository.open(checkout.folder)
    seen = world.looker.look(world.state, now=1_700_000_000.0).state
    memory = Memory(libraries=LibraryMemory(linkage=seen.to_bytes()))
    git(
        checkout.folder,
        "push",
        "--quiet",
        "origin",
        f"{memory.write(repository, Identity('Test', 'test@example.org'))}:{MEMORY_BRANCH}",
    )
    checkout.push()
    world.distribution({"libx": ("2-1", ["usr/lib/libx.so.2"])})
    return world


@pytest.mark.usefixtures("world")
def test_broken_packages_are_listed_with_what_they_lost(command: Command) -> None:
    out = command("broken", expect=ExitCode.FAILED)

    assert [line.split()[0] for line in out.splitlines()] == ["package", "a", "b"]
    assert "libx.so.1 (usr/bin/a)" in out
    assert "core/libx 1-1" in out
    (found,) = command.json("broken", "a", expect=ExitCode.FAILED)
    assert (found["pkgbase"], found["not_rebuilt"]) == ("a", "")
    assert found["lost"][0]["capability"] == "lib:libx.so.1"
    assert command("broken", "c") == ""


def test_where_nothing_is_lost_nothing_is_listed(world: LinkedWorld, command: Command) -> None:
    world.distribution({"libx": ("1-2", ["usr/lib/libx.so.1"])})
    assert command("broken") == ""
    assert "no published package has lost anything" in command.err


def test_what_will_break_is_told_without_anything_remembered(
    world: LinkedWorld, command: Command
) -> None:
    world.distribution({"libx": ("1-1", ["usr/lib/libx.so.1"])})
    world.distribution({"libx": ("2-1", ["usr/lib/libx.so.2"])}, "core-staging")
    found = command.json("broken", "--ahead", "staging,testing", expect=ExitCode.FAILED)
    assert [it["pkgbase"] for it in found] == ["a", "b"]
    assert "when that moves" in command("broken", "--ahead", "staging", expect=ExitCode.FAILED)


@pytest.mark.usefixtures("world")
def test_before_the_first_run_nothing_is_known(checkout: Checkout, command: Command) -> None:
    git(checkout.remote, "update-ref", "-d", MEMORY_BRANCH)
    assert command("broken") == ""
    assert "no run of on-schedule has looked at libraries yet" in command.err


def test_a_rebuild_is_shown_with_its_order_and_cost(
    world: LinkedWorld,
    command: Command,
    queue: Queue,
    redis_url: str,
    redis: Any,  # noqa: ANN401
) -> None:
    submit(queue, job("a", target_repo="target", build_class="2"))
    claim = claimed(queue)
    queue.finish(claim, Outcome.SUCCESS)
    key = f"{{caur}}:job:{claim.job_id}"
    redis.hset(key, "started", int(redis.hget(key, "finished")) - 2 * 3600 * 1000)

    words = ("rebuild", "--dry-run", "--redis", redis_url)
    assert command(*words).splitlines() == [
        "1. b: libx.so.1 is gone",
        "2. a: libx.so.1 is gone",
        "class 3: 2.0 h",
        "of 1 packages no build is remembered: b",
    ]
    data = command.json(*words)
    assert [[it["package"] for it in layer] for layer in data["layers"]] == [["b"], ["a"]]
    assert (data["hours"], data["unknown"]) == ({"3": 2.0}, ["b"])
    assert command(*words, "a").startswith("1. a: ")
    world.distribution({"libx": ("1-2", ["usr/lib/libx.so.1"])})
    assert command(*words) == ""


def waiting(checkout: Checkout) -> dict[str, set[tuple[str, str]]]:
    """Return for the packages that wait for a rebuild what they lost, and how that is asked for."""
    remote = GitRepository.open(checkout.remote)
    libraries = Memory.read(remote, remote.resolve(MEMORY_BRANCH)).libraries
    return {
        name: {(step.library, step.asked) for step in steps}
        for name, steps in libraries.waiting.steps.items()
    }


@pytest.mark.usefixtures("world")
def test_the_history_knows_what_a_rebuild_costs(
    command: Command,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HISTORY_PATH", str(tmp_path / "history"))
    hours = [("b", 1), ("b", 3), ("b", 9), ("a", 2)]
    with History.open(tmp_path / "history") as history:
        history.record(
            past_job(
                number,
                name,
                target_repo="target",
                started=START,
                landed=START + 3600 * took,
                build_class="2",
            )
            for number, (name, took) in enumerate(hours, 1)
        )
    data = command.json("rebuild", "--dry-run", "--redis", redis_url)
    assert (data["hours"], data["unknown"]) == ({"3": 2.0, "9": 3.0}, [])


@pytest.mark.usefixtures("world")
def test_a_rebuild_is_asked_for(command: Command, checkout: Checkout) -> None:
    unreachable = ("--redis", "redis://127.0.0.1:1")
    command("rebuild", "--dry-run", *unreachable)
    assert waiting(checkout) == {}

    out = command("rebuild", *unreachable)

    assert out.splitlines()[:2] == ["1. b: libx.so.1 is gone", "2. a: libx.so.1 is gone"]
    assert "the next run of on-schedule bumps a, b" in command.err
    assert "when all of them are built" in command.err
    assert waiting(checkout) == {name: {("libx.so.1", "together")} for name in "ab"}
    command("rebuild", "a", "--publish", "partial", *unreachable)
    assert waiting(checkout)["a"] == {("libx.so.1", "partial")}


@pytest.mark.usefixtures("world")
def test_what_is_not_broken_yet_is_only_shown(command: Command, checkout: Checkout) -> None:
    command("rebuild", "--ahead", "staging", expect=ExitCode.FAILED)
    assert "add --dry-run" in command.err
    assert waiting(checkout) == {}


@pytest.mark.usefixtures("world")
def test_without_a_queue_no_cost_is_told(command: Command) -> None:
    out = command("rebuild", "--dry-run", "--redis", "redis://127.0.0.1:1")
    assert "how long builds take is not known" in command.err
    assert "of 2 packages no build is remembered: a, b" in out
