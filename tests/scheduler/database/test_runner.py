"""What a database runner takes on, and when it looks after the repositories."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.job import JobState
from tests.support.queue import job

if TYPE_CHECKING:
    from tests.support.publishing import World


def test_jobs_for_repositories_of_other_runners_are_left_to_them(world: World) -> None:
    spec = job("tool", target_repo="elsewhere")
    world.deliver(spec, world.package("tool"))

    assert not world.runner().step()
    assert world.view("tool").state is JobState.LANDED


def test_a_runner_with_nothing_to_do_looks_after_the_repositories(world: World) -> None:
    world.simple("tool", "1-1")
    world.runner().step()
    world.simple("tool", "2-1")
    world.runner().step()
    old = world.folder / "tool-1-1-any.pkg.tar.zst"
    assert old.is_file()
    world.settings = replace(world.settings, grace=0)

    assert not world.runner().step()

    assert not old.exists()
    assert (world.folder.parent / "archive/x86_64" / old.name).is_file()


def test_a_runner_that_starts_finishes_what_another_one_began(world: World) -> None:
    world.simple("tool")
    world.runner().step()
    private = world.folder.parent / ".caur/x86_64"
    # As it is after the first rename of a commit, and in the middle of the next change.
    generation = private / "generations/1"
    shutil.copytree(generation, private / "commit")
    (private / "staging").mkdir()
    (world.folder / "repo.db").unlink()

    world.runner().step()

    assert (world.folder / "repo.db").is_symlink()
    assert not (private / "commit").exists()
    assert not (private / "staging").exists()


def test_a_runner_ends_when_told_or_idle(world: World) -> None:
    world.runner().run(idle_exit=0)
    world.stop.set()
    world.runner().run()
