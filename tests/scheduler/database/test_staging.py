"""Rebuild groups: staged where no reader looks, published in one step, or held up."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scheduler.connection import connect
from scheduler.database.consistency import verify
from scheduler.database.entries import read_entries
from scheduler.database.layout import Layout, staging_layout
from scheduler.database.orphans import OrphanSweeper
from scheduler.database.repository import open_repository
from scheduler.database.signing import Keyring
from scheduler.job import JobState, Outcome
from scheduler.queue import Queue
from tests.support.killing import killed_at
from tests.support.queue import claimed, job, let_leases_end

if TYPE_CHECKING:
    from redis import Redis

    from tests.support.packages import SigningKey
    from tests.support.publishing import World

GROUP = "repo/x86_64/moved"
CHAIN = ("lib", "mid", "app")


class Chain:
    """Three packages, each of which needs the one before it, to be built in a version."""

    def __init__(self, world: World, version: str, *names: str) -> None:
        self.world = world
        self.names = names or CHAIN
        self.version = version
        specs = []
        for before, name in zip(("", *self.names), self.names, strict=False):
            spec = job(name, *([before] if before else ()), group="moved")
            specs.append(replace(spec, commit=world.commit(spec, version=version)))
        world.requests += 1
        submission = world.queue.submit(f"request-{world.requests}", specs)
        world.jobs |= dict(zip(self.names, submission.jobs, strict=True))

    def build(self, name: str, **wrong: str) -> str:
        return self.world.build(name, self.world.package(name, self.version, **wrong))

    def build_and_stage(self, *names: str) -> None:
        for name in names or self.names:
            self.build(name)
            assert self.world.runner().step()


def staged(world: World) -> dict[str, str]:
    layout = staging_layout(world.settings.repo_path, "repo", "moved", "x86_64")
    entries = read_entries(layout.folder / layout.database)
    return {name: entry.version for name, entry in entries.items()}


def generations(world: World) -> list[int]:
    with open_repository(Layout(world.settings.repo_path, "repo", "x86_64")) as repository:
        return repository.generations.numbers()


def test_members_are_staged_and_published_in_one_step(world: World) -> None:
    Chain(world, "1-1").build_and_stage()
    world.runner().step()
    assert world.published() == dict.fromkeys(CHAIN, "1-1")

    chain = Chain(world, "2-1")
    for built, name in enumerate(CHAIN, start=1):
        chain.build_and_stage(name)
        assert staged(world) == dict.fromkeys(CHAIN[:built], "2-1")
        assert world.published() == dict.fromkeys(CHAIN, "1-1")
        assert world.view(name).state is JobState.STAGED
    assert len(world.deliveries()) == 3
    before = generations(world)
    assert world.runner().step()

    assert world.published() == dict.fromkeys(CHAIN, "2-1")
    assert generations(world) == [*before, before[-1] + 1]
    assert [world.ended(name) for name in CHAIN] == [(Outcome.SUCCESS, "")] * 3
    assert world.deliveries() == []
    assert not list((world.settings.repo_path / "repo" / ".staging").iterdir())


def test_what_is_staged_is_signed_as_what_is_published(world: World, key: SigningKey) -> None:
    Chain(world, "1-1").build_and_stage("lib")
    layout = staging_layout(world.settings.repo_path, "repo", "moved", "x86_64")
    with open_repository(layout) as repository:
        assert verify(repository, Keyring(key.home)) == []
    assert (layout.folder / "staging-moved.db.sig").exists()


def test_what_others_build_is_published_meanwhile(world: World) -> None:
    Chain(world, "1-1").build_and_stage("lib")
    assert claimed(world.queue).spec.pkgbase == "mid"
    world.simple("other")
    world.runner().step()
    assert world.published() == {"other": "1-1"}


def test_what_is_there_already_need_not_be_staged(world: World) -> None:
    world.simple("lib")
    world.runner().step()
    chain = Chain(world, "1-1")
    chain.build("lib", content="another build")
    world.runner().step()
    assert world.ended("lib")[0] is Outcome.ALREADY_BUILT
    chain.build_and_stage("mid", "app")
    assert sorted(staged(world)) == ["app", "mid"]


def test_a_delivery_that_is_refused_holds_up_the_others(world: World) -> None:
    chain = Chain(world, "1-1")
    chain.build_and_stage("lib")
    world.build("mid", world.package("mid", "9-1"))
    world.runner().step()
    assert world.ended("mid")[0] is Outcome.FAILED
    (group,) = world.queue.groups()
    assert [member.identity for member in group.failed] == ["repo/x86_64/mid"]
    assert world.published() == {}
    assert staged(world) == {"lib": "1-1"}


def test_one_that_cannot_be_published_keeps_the_others_back(world: World) -> None:
    world.simple("owner", files=["usr/bin/tool"])
    world.runner().step()
    chain = Chain(world, "1-1")
    chain.build_and_stage("lib", "mid")
    world.build("app", world.package("app", files=["usr/bin/tool"]))
    world.runner().step()

    # Only together it can be told whether a file has moved from one member to another.
    world.runner().step()

    assert world.published() == {"owner": "1-1"}
    assert world.ended("app")[0] is Outcome.FAILED
    assert world.view("lib").state is JobState.STAGED
    world.queue.publish_group(GROUP, partial=True)
    world.runner().step()
    assert world.published() == dict.fromkeys(["owner", "lib", "mid"], "1-1")


def test_a_source_that_is_out_of_reach_keeps_all_staged(world: World) -> None:
    chain = Chain(world, "1-1")
    chain.build_and_stage()
    settings = replace(world.settings, source_repos={})
    runner = world.runner(settings=settings)
    world.stop.set()  # no pause
    assert not runner.step()
    (group,) = world.queue.groups()
    assert len(group.staged) == 3
    assert "does not know the source" in group.staged[0].reason
    world.runner().step()
    assert world.published() == dict.fromkeys(CHAIN, "1-1")


@pytest.mark.parametrize("wish", ["abandon", "partial"])
def test_what_is_let_go_is_removed(world: World, wish: str) -> None:
    Chain(world, "1-1").build_and_stage("lib")
    if wish == "abandon":
        world.queue.abandon_group(GROUP)
    else:
        world.queue.publish_group(GROUP, partial=True)
    runner = world.runner()
    runner.step()
    assert staged(world) == {}
    assert world.published() == ({} if wish == "abandon" else {"lib": "1-1"})


def test_a_staged_delivery_is_wanted(world: World) -> None:
    Chain(world, "1-1").build_and_stage("lib")
    OrphanSweeper(world.queue, world.landing, after=0).do()
    assert len(world.deliveries()) == 1


def test_a_backup_is_staged_anew(world: World) -> None:
    chain = Chain(world, "1-1")
    chain.build_and_stage("lib")
    documents = list(world.queue.backup())
    world.queue.reset()
    world.runner().step()
    assert staged(world) == {}
    world.queue.restore(documents)
    world.runner().step()
    assert staged(world) == {"lib": "1-1"}
    chain.build_and_stage("mid", "app")
    world.runner().step()
    assert world.published() == dict.fromkeys(CHAIN, "1-1")


def test_a_killed_runner_loses_no_member_and_publishes_no_half(
    world: World, redis: Redis, redis_url: str, key: SigningKey
) -> None:
    layout = Layout(world.settings.repo_path, "repo", "x86_64")
    states = []

    def work() -> None:
        # A connection of its own: those of the parent are not for two.
        with connect(redis_url) as client:
            replace(world, queue=Queue(client)).runner().step()

    def killed(step: int) -> bool:
        was_killed = killed_at(step, work)
        states.append(world.published())
        let_leases_end(redis)
        world.queue.reap()
        world.settle_publications()
        redis.hdel(f"{{caur}}:group:{GROUP}", "publish_after")
        return was_killed

    kills, step = 0, 0
    for version in itertools.count(1):
        step += 17 if os.environ.get("CAUR_LONG") else 61
        chain = Chain(world, f"{version}-1", "lib", "app")
        more = False
        for name in chain.names:
            chain.build(name)
            more |= killed(step)
            world.runner().step()
        more |= killed(step)
        while world.queue.groups():
            world.runner().step()
        kills += more
        assert [world.ended(name) for name in chain.names] == [(Outcome.SUCCESS, "")] * 2
        with open_repository(layout) as repository:
            assert verify(repository, Keyring(key.home)) == []
        if not more:
            break

    # Whenever somebody looked, both were of the same version.
    assert all(len(set(state.values())) <= 1 and len(state) in {0, 2} for state in states)
    assert kills > 1
