"""Names belong to folders: nobody takes one over without a word in the source repository."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from caur_ci.process import run
from scheduler.database.distribution import DistributionNames
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.settings import SourceRepository
from tests.support.git import Checkout
from tests.support.queue import job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.publishing import World


def steal(world: World) -> None:
    """Let the folder thief make the package of the folder victim as well, with a high epoch."""
    world.split("thief", "thief", "victim", version="9:2-1")
    world.runner().step()


def test_a_name_stays_with_the_folder_that_it_is_published_from(world: World) -> None:
    world.simple("victim")
    world.simple("thief")
    world.runner().step()

    steal(world)

    outcome, reason = world.ended("thief")
    assert outcome is Outcome.FAILED
    assert world.view("thief").failure is FailureClass.DELIVERY
    assert "victim belongs to the folder victim; CI_ALLOW_NAMES=victim" in reason
    assert world.published() == {"victim": "1-1", "thief": "1-1"}
    world.simple("victim", "2-1")
    world.runner().step()
    assert world.published() == {"victim": "2-1", "thief": "1-1"}


def test_a_name_that_nobody_has_published_is_that_of_the_folder_called_like_it(
    world: World,
) -> None:
    world.commit(job("victim"), version="1-1")

    steal(world)

    assert "victim belongs to the folder victim" in world.ended("thief")[1]
    assert world.published() == {}
    world.simple("victim")
    world.runner().step()
    assert world.published() == {"victim": "1-1"}


def test_of_two_folders_that_are_called_otherwise_neither_has_it(world: World) -> None:
    world.commit(job("one", pkgnames=("tool",)), version="1-1", base="tool")
    world.split("two", "tool", base="tool")

    world.runner().step()

    assert (
        "tool is made by one as well; CI_ALLOW_NAMES=tool in two/.CI/config"
        in (world.ended("two")[1])
    )


def test_it_goes_to_the_folder_that_is_said_to_have_it(world: World) -> None:
    world.simple("victim")
    world.runner().step()
    world.checkout.commit("allow", {"thief/.CI/config": "CI_ALLOW_NAMES=victim:other\n"})

    steal(world)

    assert world.published() == {"victim": "9:2-1", "thief": "9:2-1"}
    # From then on it is the former owner who has to ask.
    world.simple("victim", "10:1-1")
    world.runner().step()
    assert "victim belongs to the folder thief" in world.ended("victim")[1]


def test_a_name_that_its_folder_does_not_make_any_more_is_free(world: World) -> None:
    world.split("one", "one", "tool")
    world.runner().step()
    world.commit(job("one", pkgnames=("one",)), version="2-1")
    world.split("two", "tool", version="2-1", base="two")
    world.runner().step()

    assert world.ended("two") == (Outcome.SUCCESS, "")
    assert world.published() == {"one": "1-1", "tool": "2-1"}


def test_what_moves_to_another_folder_stays_until_it_is_built_there(world: World) -> None:
    world.split("one", "one", "tool")
    world.runner().step()
    world.commit(job("two", pkgnames=("tool",)), version="2-1")
    world.split("one", "one", version="2-1")
    world.runner().step()

    assert world.published() == {"one": "2-1", "tool": "1-1"}


def test_the_name_of_debug_symbols_belongs_to_the_pkgbase(world: World) -> None:
    world.simple("victim")
    world.split("thief", "thief", "victim-debug", base="victim")

    world.runner().step()

    assert "victim-debug is made by victim as well" in world.ended("thief")[1]


def test_a_name_of_another_source_repository_is_not_taken_over(world: World) -> None:
    world.simple("tool")
    world.runner().step()
    other = Checkout.create(world.base / "second")
    second = SourceRepository(name="second", url=other.remote.as_uri())
    sources = {**world.settings.source_repos, "second": second}
    world.settings = replace(world.settings, source_repos=sources)
    world.checkout, first = other, world.checkout

    world.deliver(job("tool", source_repo="second"), world.package("tool", "2-1"))
    world.runner().step()

    assert "tool is published from the source repository source" in world.ended("tool")[1]
    other.commit("allow", {"tool/.CI/config": "CI_ALLOW_NAMES=tool\n"})
    world.deliver(job("tool", source_repo="second"), world.package("tool", "2-1"))
    world.runner().step()
    assert world.published() == {"tool": "2-1"}
    assert first.head()


@pytest.fixture
def distribution(tmp_path: Path) -> Path:
    """A folder as pacman keeps it, with a database of the distribution and one of ours."""
    folder = tmp_path / "sync"
    for database, name in (("core", "glibc-2.40-1"), ("repo", "tool-1-1")):
        (tmp_path / database / name).mkdir(parents=True)
        (tmp_path / database / name / "desc").write_text("%NAME%\n")
        folder.mkdir(exist_ok=True)
        run(["bsdtar", "-czf", folder / f"{database}.db", "-C", tmp_path / database, name])
    return folder


def test_names_of_the_distribution_are_refused_until_they_are_allowed(
    world: World, distribution: Path
) -> None:
    names = DistributionNames([distribution], ours=["repo"])
    world.simple("glibc")
    world.simple("tool")

    world.runner(distribution=names).step()

    assert "glibc is a package of the distribution" in world.ended("glibc")[1]
    assert world.published() == {"tool": "1-1"}
    world.checkout.commit("allow", {"glibc/.CI/config": "CI_ALLOW_NAMES=glibc\n"})
    world.simple("glibc")
    world.runner(distribution=names).step()
    assert world.published() == {"glibc": "1-1", "tool": "1-1"}


def test_a_database_of_the_distribution_that_is_gone_is_no_fault_of_a_package(
    world: World, distribution: Path
) -> None:
    names = DistributionNames([distribution / "core.db"])
    assert "glibc" in names
    (distribution / "core.db").unlink()
    with pytest.raises(TemporaryError, match="cannot be read"):
        assert "glibc" in names

    world.simple("tool")
    world.stop.set()
    world.runner(distribution=names).step()
    assert world.view("tool").state is JobState.LANDED
