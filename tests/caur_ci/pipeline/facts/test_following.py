"""What is told of repositories, and how it is kept fresh."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.facts import FolderCommit, PackageSummary
from caur_ci.pipeline.facts import FollowedFacts, Mirror
from tests.support.packages_world import PackagesWorld
from tests.support.queue import eventually

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0


@pytest.fixture
def world(tmp_path: Path) -> PackagesWorld:
    world = PackagesWorld.create(tmp_path / "world")
    world.package(
        "app",
        "pkgdesc = Shows <things>",
        "url = https://example.org/app",
        "depends = lib>=1",
        "makedepends = tool",
        config="CI_PKGBUILD_SOURCE=aur\nBUILDER_CLASS=9\n",
        names=("app", "app-docs"),
    )
    world.package("lib", config="CI_PKGBUILD_SOURCE=https://me:hush-hush@example.org/lib.git\n")
    world.package("tool", config="BUILDER_CLASS=no such class\n")
    world.maintained("app", "alice", "bob carol")
    world.decided("app", "upstream has 2", before="1-1", after="2-1", link="https://ci.example.org")
    world.held("lib", left_out="changed")
    world.in_trouble("tool", failures=4, failing_since=1, reason="no answer")
    world.in_trouble("app", ahead_since=int(NOW) - 60, reason="waits for a review")
    world.commit("feat(app): begin")
    world.state({"app": "CI_GIT_COMMIT=abc\n"})
    return world


def facts_of(world: PackagesWorld, folder: Path) -> FollowedFacts:
    facts = FollowedFacts([Mirror(folder, "source", world.url)], clock=lambda: NOW)
    facts.renew()
    return facts


def test_packages_are_those_of_the_tip(world: PackagesWorld, tmp_path: Path) -> None:
    facts = facts_of(world, tmp_path / "facts")

    app, lib, tool = facts.packages()
    assert app == PackageSummary(
        pkgbase="app",
        source_repo="source",
        target_repo="repo",
        version="1-1",
        source="aur",
        build_class="9",
        maintainers=("alice", "bob", "carol"),
    )
    assert "hush" not in lib.source
    assert (tool.pkgbase, tool.source, tool.build_class) == ("tool", "custom", "")
    (state,) = facts.repositories()
    assert (state.name, state.target_repo, state.packages) == ("source", "repo", 3)
    assert (state.asked, state.committed, state.trouble) == (NOW, 1_700_000_000, "")


def test_a_package_is_told_in_full(world: PackagesWorld, tmp_path: Path) -> None:
    facts = facts_of(world, tmp_path / "facts")

    app = facts.package("app", "repo")
    assert app is not None
    assert (app.pkgnames, app.description) == (("app", "app-docs"), "Shows <things>")
    assert (app.url, app.upstream_commit) == ("https://example.org/app", "abc")
    assert app.needs == {"lib": ("depends lib>=1",), "tool": ("makedepends tool",)}
    (decision,) = app.decisions
    assert (decision.reason, decision.before, decision.after) == ("upstream has 2", "1-1", "2-1")
    assert app.trouble is not None
    assert app.trouble.reason == "waits for a review"
    assert app.commits == (
        FolderCommit(
            commit=world.store.git.commit_id("main"),
            time=1_700_000_000,
            author="Somebody",
            subject="feat(app): begin",
        ),
    )
    lib = facts.package("lib")
    assert lib is not None
    assert lib.needed_by == {"app": ("depends lib>=1",)}
    assert lib.hold is not None
    assert (lib.hold.by, lib.hold.left_out) == ("alice", "changed")


@pytest.mark.parametrize("name", ["none", "../app", "app\0", "", "-x"])
def test_of_what_there_is_not_nothing_is_known(
    name: str, world: PackagesWorld, tmp_path: Path
) -> None:
    facts = facts_of(world, tmp_path / "facts")

    assert facts.package(name) is None
    assert facts.package("app", "other") is None


def test_a_package_that_is_gone_is_known_by_what_was_decided(
    world: PackagesWorld, tmp_path: Path
) -> None:
    world.decided("gone", "its folder is gone", decision="remove")
    world.remember()

    gone = facts_of(world, tmp_path / "facts").package("gone")

    assert gone is not None
    assert (gone.decisions[0].reason, gone.package.version) == ("its folder is gone", "")


def test_lists(world: PackagesWorld, tmp_path: Path) -> None:
    facts = facts_of(world, tmp_path / "facts")

    assert [it.package.pkgbase for it in facts.held()] == ["lib"]
    assert [(it.package.pkgbase, it.failures) for it in facts.stale()] == [("tool", 4)]
    (needs,) = facts.dependencies("repo")
    assert needs.needs == {"app": ("lib", "tool"), "lib": (), "tool": ()}
    assert facts.dependencies("other") == ()


def test_what_was_known_stays_when_the_repository_is_out_of_reach(
    world: PackagesWorld, tmp_path: Path
) -> None:
    facts = facts_of(world, tmp_path / "facts")
    before = facts.packages()
    shutil.move(world.store.folder, tmp_path / "away")
    facts.renew()

    (state,) = facts.repositories()
    assert "source cannot be fetched" in state.trouble
    assert facts.packages() == before

    again = facts_of(world, tmp_path / "facts")  # as after a restart
    assert again.packages() == before


def test_a_branch_that_makes_no_sense_leaves_what_was_known(
    world: PackagesWorld, tmp_path: Path
) -> None:
    facts = facts_of(world, tmp_path / "facts")
    world.store.ref("refs/heads/caur", world.store.commit({"holds.json": "{"}))
    facts.renew()

    (state,) = facts.repositories()
    assert "holds.json on branch caur cannot be read" in state.trouble
    assert [it.package.pkgbase for it in facts.held()] == ["lib"]


def test_it_is_renewed_while_somebody_asks(world: PackagesWorld, tmp_path: Path) -> None:
    with FollowedFacts([Mirror(tmp_path / "facts", "source", world.url)], every=0.01) as facts:
        eventually(lambda: len(facts.packages()) == 3)
        world.package("more")
        world.memory = replace(world.memory, recalled=frozenset({"lib"}))
        world.commit()
        eventually(lambda: facts.package("more") is not None)
        assert [it.recalled for it in facts.held()] == [True]
