"""Broken packages, as the pages learn of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.linkage import PackageLinkage
from caur_ci.pipeline.facts import FollowedFacts, Mirror
from caur_ci.pipeline.facts.losses import LOOKED_EVERY
from caur_ci.pipeline.shared.memory.libraries import LibraryMemory
from tests.support.linked_world import LinkedWorld
from tests.support.packages_world import PackagesWorld

if TYPE_CHECKING:
    from pathlib import Path

GLIBC = {"glibc": ("2-1", ["usr/lib/libc.so.6"])}
LIBX = {**GLIBC, "libx": ("1-1", ["usr/lib/libx.so.1"])}
LIBX_2 = {**GLIBC, "libx": ("2-1", ["usr/lib/libx.so.2"])}


def test_what_was_lost_is_told_and_looked_for_now_and_then(tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    linked = LinkedWorld(tmp_path / "linked")
    linked.source("tool")
    needs = {"lib:libx.so.1": ("usr/bin/tool",)}
    linked.publish_linkage(
        PackageLinkage(name="tool", base="tool", version="1-1", sha256="", needs=needs)
    )
    linked.distribution(LIBX)
    config = f"REPO_NAME=repo\nCI_REPO_DB={linked.config.repo_db}\n"
    world = PackagesWorld.create(
        tmp_path / "world", f"{config}CI_LIB_DB={linked.config.lib_db[0]}\n"
    )
    world.package("tool")
    world.commit()
    now = [1_000.0]
    mirror = Mirror(tmp_path / "facts", "source", world.url)
    facts = FollowedFacts([mirror], clock=lambda: now[0])

    facts.renew()
    assert facts.repositories()[0].lost == "no run of on-schedule has looked at libraries yet"

    linked.look()
    world.memory = replace(world.memory, libraries=LibraryMemory(linkage=linked.state.to_bytes()))
    world.remember()
    facts.renew()
    assert (facts.broken(), facts.repositories()[0].lost) == ((), "")

    linked.distribution(LIBX_2)
    facts.renew()
    assert facts.broken() == ()  # nobody has looked again

    now[0] += LOOKED_EVERY
    facts.renew()
    (tool,) = facts.broken()
    assert (tool.package.pkgbase, tool.package.source_repo) == ("tool", "source")
    assert [(it.name, it.offered_by) for it in tool.lost] == [("libx.so.1", "core/libx 1-1")]
    told = facts.package("tool")
    assert told is not None
    assert told.broken == tool


def test_where_nobody_says_where_to_look_that_is_told(tmp_path: Path) -> None:
    world = PackagesWorld.create(tmp_path / "world")
    world.commit()
    facts = FollowedFacts([Mirror(tmp_path / "facts", "source", world.url)])
    facts.renew()

    assert "CI_REPO_DB" in facts.repositories()[0].lost
