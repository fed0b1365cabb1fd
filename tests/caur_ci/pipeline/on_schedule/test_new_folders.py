"""A folder that holds only `.CI/config` with a source is filled by the next run, whatever was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.support.git import Checkout, git
from tests.support.upstream import files_of, pkgbuild, srcinfo_of, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUR = "CI_PKGBUILD_SOURCE=aur\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ScheduleWorld]:
    """A repository that knows the AUR package `a`."""
    with upstream(tmp_path / "upstream") as outside:
        made = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        made.begin({"a": "1-1"})
        made.run()
        yield made


def add(world: ScheduleWorld, name: str, config: str) -> None:
    """Push a new folder as a maintainer does, and let on-commit see it."""
    world.checkout.commit(f"feat: {name}", {f"{name}/.CI/config": config})
    world.checkout.push()
    on_commit(OnCommitOptions(repo=world.checkout.folder))
    git(world.checkout.folder, "pull", "--quiet", "--ff-only", "origin", "main")


def is_filled(world: ScheduleWorld, name: str, version: str) -> bool:
    return (
        world.file(f"{name}/PKGBUILD") == pkgbuild(name, version).strip()
        and world.file(f"{name}/.SRCINFO") == srcinfo_of(name, version).strip()
        and world.asked() == [(name,)]
    )


def test_from_the_aur(world: ScheduleWorld) -> None:
    world.outside.push({"new": "3-1"})
    add(world, "new", AUR)
    assert world.asked() == []

    assert actions(world.run()) == {"new": ScheduleAction.UPDATE}

    assert is_filled(world, "new", "3-1")
    assert world.file("new/.CI/config") == AUR.strip()
    assert actions(world.run()) == {}


def test_from_a_git_url(world: ScheduleWorld) -> None:
    world.outside.url_push("new", files_of("new", "3-1"))
    add(world, "new", f"CI_PKGBUILD_SOURCE={world.outside.url_of('new')}\n")

    assert actions(world.run()) == {"new": ScheduleAction.UPDATE}

    assert is_filled(world, "new", "3-1")
    assert actions(world.run()) == {}


def test_what_the_aur_has_had_for_long_is_new_here(world: ScheduleWorld) -> None:
    """The existing system has seen the AUR up to a time that is later."""
    world.outside.push({"new": "3-1"})
    world.commit("chore: state", {".ci/aur-state": f"{world.outside.now + 1000}\n"})
    add(world, "new", AUR)

    world.run()

    assert is_filled(world, "new", "3-1")


def test_it_is_filled_where_people_review_changes(world: ScheduleWorld) -> None:
    """Whoever named the source has chosen it; there is nothing yet to compare with."""
    config = world.checkout.folder / ".ci" / "config"
    world.commit("ci: review", {".ci/config": config.read_text() + "CI_HUMAN_REVIEW=true\n"})
    world.outside.push({"new": "3-1"})
    add(world, "new", AUR)

    assert actions(world.run()) == {"new": ScheduleAction.UPDATE}

    assert is_filled(world, "new", "3-1")
    # From then on it is as any other.
    world.outside.push({"new": "3-2"}, note="other")
    assert actions(world.run()) == {"new": ScheduleAction.HELD}


@pytest.mark.parametrize("source", ["aur", "git"])
def test_a_folder_that_comes_back_empty_is_filled_again(world: ScheduleWorld, source: str) -> None:
    """What was seen of its source before says nothing about the files that are here now."""
    world.outside.push({"new": "3-1"})
    world.outside.url_push("new", files_of("new", "3-1"))
    url = world.outside.url_of("new")
    config = AUR if source == "aur" else f"CI_PKGBUILD_SOURCE={url}\n"
    add(world, "new", config)
    world.run()
    world.checkout.commit("fix: anew", {"new/PKGBUILD": None, "new/.SRCINFO": None})
    world.checkout.push()
    on_commit(OnCommitOptions(repo=world.checkout.folder))

    assert actions(world.run()) == {"new": ScheduleAction.UPDATE}

    assert world.file("new/PKGBUILD") == pkgbuild("new", "3-1").strip()


def test_a_source_that_has_no_such_package_is_told(world: ScheduleWorld) -> None:
    add(world, "new", AUR)

    result = world.run()

    assert actions(result) == {"new": ScheduleAction.GONE}
    assert "the AUR has no such package" in reasons(result)["new"]
    world.outside.push({"new": "3-1"})
    assert actions(world.run()) == {"new": ScheduleAction.UPDATE}
