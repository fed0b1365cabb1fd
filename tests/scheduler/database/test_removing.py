"""Removals: by the names of folders, entries first, and not too much at once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scheduler.job import JobState, Outcome, Removal
from scheduler.settings import SourceRepository, TargetRepository
from tests.support.git import Checkout
from tests.support.packages import make_package
from tests.support.queue import job

if TYPE_CHECKING:
    from scheduler.queue import Event
    from tests.support.publishing import World


def remove(world: World, *bases: str, keep: tuple[str, ...] = (), confirmed: bool = False) -> Event:
    """Have a removal carried out, and return how it ended."""
    world.requests += 1
    removal = Removal(target_repo="repo", remove=bases, keep=keep, confirmed=confirmed)
    world.queue.submit(f"removal-{world.requests}", [], [removal])
    world.runner().step()
    return next(each for each in reversed(world.queue.events()) if each.kind == "removal")


def drop(world: World, *folders: str) -> None:
    """Commit that there are no such folders any more."""
    world.checkout.commit("drop", {f"{folder}/.SRCINFO": None for folder in folders})
    world.checkout.push()


def many(world: World, count: int) -> list[str]:
    """Publish packages whose folders came with one commit."""
    names = [f"p{number:02}" for number in range(count)]
    commit = world.commit(*(job(name) for name in names), version="1-1")
    for name in names:
        world.land(job(name, commit=commit), world.package(name))
    world.runner().step()
    assert sorted(world.published()) == names
    return names


def test_bases_are_removed_by_name_with_all_their_packages(world: World) -> None:
    world.split("a", "a", "a-doc")
    world.simple("b")
    world.simple("c")
    world.runner().step()

    drop(world, "a")
    removal = remove(world, "a", "unknown")

    assert world.published() == {"b": "1-1", "c": "1-1"}
    assert removal.outcome is Outcome.SUCCESS
    assert "removed a" in removal.reason
    assert "unknown" not in removal.reason
    # Whoever has the old database still gets the file.
    assert (world.folder / "a-doc-1-1-any.pkg.tar.zst").is_file()


def test_all_but_the_bases_to_keep_are_removed(world: World) -> None:
    for name in ("a", "b", "c"):
        world.simple(name)
    world.runner().step()

    drop(world, "a", "c")
    remove(world, keep=("b", "new"))

    assert world.published() == {"b": "1-1"}


def test_removing_from_a_repository_that_is_not_there_yet_is_no_error(world: World) -> None:
    world.commit(job("b"), version="1-1")
    assert remove(world, "a").outcome is Outcome.SUCCESS


def test_folders_count_where_the_pkgbase_is_another(world: World) -> None:
    world.split("linux-one", "linux-one", base="linux")
    world.split("linux-two", "linux-two", base="linux")
    world.simple("other")
    world.runner().step()

    remove(world, keep=("linux-one", "linux-two", "other"))
    assert set(world.published()) == {"linux-one", "linux-two", "other"}
    drop(world, "linux-two")
    remove(world, keep=("linux-one", "other"))
    assert set(world.published()) == {"linux-one", "other"}
    remove(world, "linux")
    assert set(world.published()) == {"linux-one", "other"}
    drop(world, "linux-one")
    remove(world, "linux-one")
    assert set(world.published()) == {"other"}


@pytest.mark.parametrize("listed", ["keep", "remove"])
def test_folders_that_nobody_remembers_are_looked_up_in_the_sources(
    world: World, listed: str
) -> None:
    world.split("folder-one", "member", base="linux")
    world.split("linux", "linux", base="linux")
    world.simple("dropped")
    world.runner().step()
    world.checkout.commit("drop", {"dropped/.SRCINFO": None, "linux/.SRCINFO": None})
    world.checkout.push()
    # As if it had been published by the existing system.
    shutil.rmtree(world.settings.repo_path / "repo" / ".caur")

    if listed == "keep":
        remove(world, keep=("folder-one",))
        assert set(world.published()) == {"linux", "member"}
    else:
        remove(world, "linux", "dropped")
        assert set(world.published()) == {"linux", "member"}


def test_sources_out_of_reach_put_off_what_depends_on_them(world: World) -> None:
    world.simple("a")
    world.runner().step()
    shutil.rmtree(world.settings.repo_path / "repo" / ".caur")
    away = world.checkout.remote.with_name("away")
    world.checkout.remote.rename(away)
    world.stop.set()

    remove(world, keep=("b",))
    assert len(world.queue.removals()) == 1
    assert world.published() == {"a": "1-1"}
    away.rename(world.checkout.remote)
    drop(world, "a")
    world.runner().step()
    assert world.published() == {}


def test_packages_for_any_architecture_go_everywhere(world: World) -> None:
    target = TargetRepository(name="repo", architectures=("x86_64", "aarch64"))
    world.settings = replace(world.settings, target_repos={"repo": target})
    path = world.package("a", arch="x86_64")
    both = make_package(path.parent, "a-doc", base="a")
    world.deliver(job("a", pkgnames=("a", "a-doc")), path, both)
    world.deliver(job("a", arch="aarch64"), world.package("a", arch="aarch64"))
    world.runner().step()
    assert world.published("aarch64") == {"a": "1-1"} | {"a-doc": "1-1"}

    drop(world, "a")
    remove(world, "a")

    assert world.published() == {}
    assert world.published("aarch64") == {"a": "1-1"}


class TestOnlyACommitTakesAPackageAway:
    """Whoever may write to the queue can ask for a removal, but the source repository decides."""

    @pytest.mark.parametrize("wanted", [{"remove": ("a", "b")}, {"keep": ("none",)}])
    def test_what_the_source_repository_has_stays(
        self, world: World, wanted: dict[str, tuple[str, ...]]
    ) -> None:
        world.simple("a")
        world.simple("b")
        world.runner().step()
        drop(world, "b")

        removal = remove(
            world, *wanted.get("remove", ()), keep=wanted.get("keep", ()), confirmed=True
        )

        assert world.published() == {"a": "1-1"}
        assert "a stays, the source repository has a" in removal.reason

    def test_a_package_whose_folder_was_renamed_stays_until_it_is_built_there(
        self, world: World
    ) -> None:
        world.split("old", "tool", "tool-debug", base="tool")
        world.runner().step()
        drop(world, "old")
        world.commit(job("new", pkgnames=("tool",)), version="2-1", base="tool")

        removal = remove(world, "old")

        assert world.published() == {"tool": "1-1", "tool-debug": "1-1"}
        assert "tool stays, the source repository has new" in removal.reason
        world.split("new", "tool", version="2-1", base="tool")
        world.runner().step()
        assert world.published()["tool"] == "2-1"
        drop(world, "new")
        remove(world, keep=("none",))
        assert world.published() == {}

    def test_a_folder_of_another_source_repository_keeps_nothing(self, world: World) -> None:
        world.simple("a")
        world.runner().step()
        drop(world, "a")
        other = Checkout.create(world.base / "second")
        other.commit("a", {"a/.SRCINFO": "pkgbase = a\npkgver = 1\npkgrel = 1\npkgname = a\n"})
        other.push()
        second = SourceRepository(name="second", url=other.remote.as_uri())
        sources = {**world.settings.source_repos, "second": second}
        world.settings = replace(world.settings, source_repos=sources)

        remove(world, "a")

        assert world.published() == {}

    def test_it_is_said_who_needs_what_went(self, world: World) -> None:
        world.simple("lib", extra="provides = libthing.so=2-64\n")
        world.simple("app", extra="depend = lib>=1\ndepend = libc\n")
        world.simple("other", extra="depend = libthing.so\n")
        world.runner().step()
        drop(world, "lib")

        removal = remove(world, "lib")

        assert "removed lib; lib went and is needed by app, other" in removal.reason


class TestTooMuchAtOnce:
    """A removal of a large share waits to be confirmed."""

    def test_a_short_list_of_those_to_keep_is_held_and_then_confirmed(self, world: World) -> None:
        names = many(world, 12)
        world.simple("waiting")
        drop(world, *names[5:])

        held = remove(world, keep=(*names[:5], "waiting"))

        assert held.state is JobState.WAITING
        assert "7 of 12 packages would go, more than 25 % have to be confirmed: p05" in held.reason
        assert set(names) < set(world.published())
        (view,) = world.queue.removals()
        assert view.held
        assert world.queue.confirm_removals("repo", "x86_64") == [view.removal_id]
        world.runner().step()
        assert sorted(world.published()) == [*names[:5], "waiting"]
        assert world.queue.removals() == ()

    def test_so_is_a_long_list_of_those_to_remove(self, world: World) -> None:
        names = many(world, 12)
        drop(world, *names[:7])

        assert "7 of 12" in remove(world, *names[:7]).reason
        assert len(world.published()) == 12
        remove(world, *names[:7], confirmed=True)
        assert sorted(world.published()) == names[7:]

    def test_a_few_or_a_small_share_go_unasked(self, world: World) -> None:
        names = many(world, 12)
        world.settings = replace(world.settings, removal_share=60)

        drop(world, *names)
        remove(world, *names[:7])
        assert len(world.published()) == 5
        world.settings = replace(world.settings, removal_share=1)
        remove(world, *names[7:])
        assert world.published() == {}
