"""Changes of a repository that are killed at every step, and what the next one makes of it."""

from __future__ import annotations

import itertools
import os
import random
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.connection import connect
from scheduler.database.consistency import Inconsistency, verify
from scheduler.database.generations import PublicationKind
from scheduler.database.layout import Layout
from scheduler.database.packages import read_package
from scheduler.database.repository import PacmanRepository, Retention, open_repository
from scheduler.database.signing import Keyring
from scheduler.job import Outcome
from scheduler.queue import Queue
from scheduler.settings import TargetRepository
from tests.support.killing import killed_at
from tests.support.packages import make_package
from tests.support.queue import let_leases_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from redis import Redis

    from tests.support.packages import SigningKey
    from tests.support.publishing import World
    from tests.support.shelf import Shelf


def at_its_steps(shelf: Shelf, action: Callable[[], object], check: Callable[[], object]) -> int:
    """Kill `action` at many of its steps, in the same state each time; return how many it has.

    With `CAUR_LONG=1`, at each of them.
    """
    stride = 1 if os.environ.get("CAUR_LONG") else 3
    www, saved = shelf.layout.root, shelf.layout.root.with_name("saved")
    www.rename(saved)
    for step in itertools.count(random.randint(1, stride), stride):
        # Whoever calls may have locked the repository that was there.
        shutil.copytree(saved, www, symlinks=True)
        was_killed = killed_at(step, action)
        check()
        shutil.rmtree(www)
        if not was_killed:
            return step
    raise AssertionError


def findings(layout: Layout, home: Path) -> list[Inconsistency]:
    with open_repository(layout) as repository:
        return verify(repository, Keyring(home))


def settled(repository: PacmanRepository) -> bool:
    """Tell whether nothing is left of what was interrupted."""
    names = {path.name for path in repository.layout.private.iterdir()}
    return not names & {"staging", "commit"}


def test_publishing(shelf: Shelf, key: SigningKey) -> None:
    shelf.publish(("tool", "1-1"), ("doc", "1-1"), content="first build")
    shelf.remove("doc")
    seen = set()

    def check() -> None:
        assert findings(shelf.layout, key.home) == []
        versions = shelf.versions()
        seen.add(versions["tool"])
        assert versions in ({"tool": "1-1"}, {"tool": "2-1", "doc": "1-1"})
        with shelf.open() as repository:
            assert settled(repository)
            generations = repository.generations
            assert generations.numbers()[-1] == (3 if versions["tool"] == "2-1" else 2)
        # What is listed stays, whatever was noted of its name before.
        shelf.sweep(grace=0)
        assert findings(shelf.layout, key.home) == []

    with shelf.open() as repository, repository.transaction(shelf.signer) as transaction:
        # One that replaces a file of the same name, which is still in place.
        names = (("tool", "2-1"), ("doc", "1-1"))
        made = [make_package(transaction.folder, *name, content="second") for name in names]
        transaction.add([read_package(path) for path in made])
        transaction.prepare()
        steps = at_its_steps(shelf, lambda: repository.commit(transaction), check)

    assert seen == {"1-1", "2-1"}
    assert steps > 30


def test_rolling_back(shelf: Shelf, key: SigningKey) -> None:
    shelf.publish(("tool", "1-1"), ("doc", "1-1"))
    shelf.publish(("tool", "2-1"))
    shelf.sweep(grace=0)
    seen = set()

    def check() -> None:
        assert findings(shelf.layout, key.home) == []
        seen.add(shelf.versions()["tool"])

    with shelf.open() as repository, repository.transaction(shelf.signer) as transaction:
        transaction.add_published([shelf.layout.archive / "tool-1-1-any.pkg.tar.zst"])
        transaction.prepare_from(repository.generations.path(1))
        at_its_steps(
            shelf,
            lambda: repository.commit(transaction, kind=PublicationKind.ROLLED_BACK, origin=1),
            check,
        )

    assert seen == {"1-1", "2-1"}


def test_sweeping(shelf: Shelf, key: SigningKey) -> None:
    for version in ("1-1", "2-1", "3-1"):
        shelf.publish(("tool", version))
    retention = Retention(grace=0, archive_days=0, generations=2)

    def sweep() -> None:
        with open_repository(shelf.layout, retention) as repository:
            repository.sweep()

    def check() -> None:
        sweep()
        assert findings(shelf.layout, key.home) == []
        assert [name for name in shelf.files() if not name.endswith(".sig")] == [
            "tool-3-1-any.pkg.tar.zst"
        ]
        archived = shelf.files(shelf.layout.archive)
        assert archived == ["tool-2-1-any.pkg.tar.zst", "tool-2-1-any.pkg.tar.zst.sig"]

    at_its_steps(shelf, sweep, check)


def test_a_killed_runner_loses_no_job(
    world: World, redis: Redis, redis_url: str, key: SigningKey
) -> None:
    target = TargetRepository(name="repo", architectures=("x86_64", "aarch64"))
    world.settings = replace(world.settings, target_repos={"repo": target})
    layouts = [Layout(world.settings.repo_path, "repo", arch) for arch in target.architectures]

    def publish() -> None:
        # A connection of its own: those of the parent are not for two.
        with connect(redis_url) as client:
            replace(world, queue=Queue(client)).runner().step()

    step = killed = 0
    for version in itertools.count(1):
        # All of them would be too many for whole runners; `CAUR_LONG=1` tries more.
        step += 5 if os.environ.get("CAUR_LONG") else 37
        world.simple("tool", f"{version}-1")
        was_killed = killed_at(step, publish)
        let_leases_end(redis)
        world.queue.reap()
        world.settle_publications()
        world.runner().step()

        assert world.ended("tool") == (Outcome.SUCCESS, "")
        for layout in layouts:
            assert findings(layout, key.home) == []
            assert world.published(layout.arch) == {"tool": f"{version}-1"}
        if not was_killed:
            break
        killed += 1

    assert killed > 3
