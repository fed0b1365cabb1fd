"""Packages that have lost a library are rebuilt by the half-hourly run, or told."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from caur_ci.linkage import PackageLinkage
from caur_ci.pipeline.holding import Keeper
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.options import RunOptions
from caur_ci.triggers.moves import LibraryMove
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions
from tests.support.git import Checkout, git
from tests.support.linked_world import LinkedWorld
from tests.support.tools import need_tools
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUMP, HELD = ScheduleAction.BUMP, ScheduleAction.HELD
BUILD = "build() { :; }\n"
LIBX = {"libx": ("1-1", ["usr/lib/libx.so.1"])}
LIBX_2 = {"libx": ("2-1", ["usr/lib/libx.so.2"])}


class LosingWorld(ScheduleWorld):
    """Packages whose published versions need libx.so.1, which there is."""

    linked: LinkedWorld

    def start(self, *names: str, config: str = "CI_REBUILD_AUTO=true\n") -> None:
        more: dict[str, str] = {}
        for name in names:
            self.publish(name)
            files = files_of(name, "1-1")
            files["PKGBUILD"] += BUILD
            more |= {f"{name}__{path.replace('/', '__')}": text for path, text in files.items()}
        self.linked.distribution(LIBX)
        urls = f"CI_REPO_DB={self.linked.config.repo_db}\nCI_LIB_DB={self.linked.config.lib_db[0]}"
        self.begin({}, config=f"{urls}\n{config}", **more)
        assert actions(self.run()) == {}

    def publish(self, name: str, version: str = "1-1", needs: str = "libx.so.1") -> None:
        self.linked.publish_linkage(
            PackageLinkage(
                name=name,
                base=name,
                version=version,
                sha256="",
                needs={f"lib:{needs}": (f"usr/bin/{name}",)},
            )
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LosingWorld]:
    need_tools("zstd")
    (tmp_path / "linked").mkdir()
    with upstream(tmp_path / "upstream") as outside:
        made = LosingWorld(Checkout.create(tmp_path / "world"), outside)
        made.linked = LinkedWorld(tmp_path / "linked")
        yield made


def test_what_lost_a_library_is_rebuilt_once(world: LosingWorld) -> None:
    world.start("app", "tool-bin")
    world.linked.distribution(LIBX_2)

    result = world.run()

    assert actions(result) == {"app": BUMP}
    assert world.asked() == [("app",)]
    assert git(world.remote, "log", "-1", "--format=%B", "main").strip() == (
        "chore(bump): app\n\n- app: global, triggered by libx.so.1 (core/libx 1-1 → gone)"
    )
    # The build takes its time, and ends with another version or with the same library.
    assert actions(world.run()) == {}
    world.publish("app", "1-1.1", needs="libx.so.2")
    assert actions(world.run()) == {}
    world.linked.distribution({"libx": ("3-1", ["usr/lib/libx.so.3"])})
    assert actions(world.run()) == {"app": BUMP}


def test_by_default_it_is_only_told(world: LosingWorld) -> None:
    world.start("app", config="")
    world.linked.distribution(LIBX_2)

    result = world.run()

    assert actions(result) == {}
    assert any("packages have lost a library" in note for note in result.plan.notes)
    # Once it is allowed, what is lost already counts.
    config = world.checkout.folder / ".ci/config"
    config.write_text(config.read_text() + "CI_REBUILD_AUTO=true\n")
    world.checkout.commit("feat: rebuild")
    world.checkout.schedule_here()
    assert actions(world.run()) == {"app": BUMP}


def test_who_waits_for_what_is_back_waits_no_longer(world: LosingWorld) -> None:
    names = [f"app{number:02}" for number in range(11)]
    world.start(*names)
    world.linked.distribution(LIBX_2)
    assert set(actions(world.run()).values()) == {HELD}
    world.linked.distribution(LIBX)
    assert actions(world.run()) == {}
    assert world.memory().libraries.waiting.steps == {}


def test_a_database_that_cannot_be_read_is_told_and_costs_nothing(world: LosingWorld) -> None:
    world.start("app")
    files = world.linked.folder / "dist/core/core.files"
    content = files.read_bytes()
    files.unlink()
    before = world.memory().libraries.linkage
    result = world.run()
    assert any("lost libraries is not known" in problem for problem in result.problems)
    assert world.memory().libraries.linkage == before
    files.write_bytes(content)
    assert world.run().problems == ()


def test_a_run_is_repeated_without_the_databases(world: LosingWorld, tmp_path: Path) -> None:
    world.start("app")
    world.linked.distribution(LIBX_2)
    recorded = world.run(dry_run=True, record=tmp_path / "recording")
    shutil.rmtree(world.linked.folder)

    assert actions(world.run(dry_run=True, replay=tmp_path / "recording")) == {"app": BUMP}
    assert actions(recorded) == {"app": BUMP}


def test_those_that_lost_the_same_are_one_group(world: LosingWorld) -> None:
    world.start("app", "tool", "lone")
    world.publish("lone", needs="liby.so.1")
    world.linked.distribution({**LIBX, "liby": ("1-1", ["usr/lib/liby.so.1"])})
    world.run()
    world.linked.distribution({**LIBX_2, "liby": ("2-1", ["usr/lib/liby.so.2"])})

    result = world.run()

    (request,) = world.memory().outbox.requests
    groups = {package.pkgbase: package.group for package in request.packages}
    assert groups["app"] == groups["tool"]
    assert groups["app"].startswith("libx.so.1-")
    assert groups["lone"] == ""
    assert {package.publish for package in request.packages} == {"together"}
    assert any(note.endswith(f"{groups['app']}: app, tool") for note in result.plan.notes)


def test_how_groups_are_published_can_be_configured(world: LosingWorld) -> None:
    world.start("app", "tool", config="CI_REBUILD_AUTO=true\nCI_REBUILD_PUBLISH=partial\n")
    world.linked.distribution(LIBX_2)
    world.run()
    (request,) = world.memory().outbox.requests
    assert {package.publish for package in request.packages} == {"partial"}


def test_what_somebody_asks_for_is_rebuilt_as_one_group_however_much_it_is(
    world: LosingWorld,
) -> None:
    names = [f"app{number:02}" for number in range(12)]
    world.start(*names, config="")
    world.linked.distribution(LIBX_2)
    assert actions(world.run()) == {}
    move = LibraryMove(library="libx.so.1", before="core/libx 1-1", after="gone")

    keeper = Keeper.of(RunContext.open(RunOptions(repo=world.checkout.folder)), 1_800_000_000.0)
    keeper.rebuild({name: [move] for name in names}, "partial")

    assert actions(world.run()) == dict.fromkeys(names, BUMP)
    (request,) = world.memory().outbox.requests
    assert len({package.group for package in request.packages}) == 1
    assert {package.publish for package in request.packages} == {"partial"}
    assert world.memory().libraries.waiting.steps == {}
    assert actions(world.run()) == {}
