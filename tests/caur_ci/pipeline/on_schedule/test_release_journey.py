"""Versions of GitLab's tags and of nvchecker.toml files, from upstream's tag to our branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.review import ForgeChoice
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.caur_ci.review.forges import ForgeUnderTest, forge_of_kind
from tests.support.git import Checkout, git
from tests.support.gitlab_tags import TagServer, tag_server
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD, NEW = "a1" * 20, "b2" * 20
SRCINFO = """\
pkgbase = {name}
\tpkgver = {version}
\tpkgrel = {release}
\tarch = any
\tsource = git+https://x.org/{name}.git#tag=v{version}
\tsha256sums = SKIP

pkgname = {name}
"""


@pytest.fixture
def tags() -> Iterator[TagServer]:
    with tag_server() as made:
        made.projects["group/lab"] = [("v1.0", OLD)]
        yield made


@pytest.fixture
def world(tmp_path: Path, tags: TagServer) -> Iterator[ScheduleWorld]:
    with upstream(tmp_path / "upstream") as outside:
        outside.url_push("nv", {"a": "1"})
        git(outside.folder / "nv.git", "tag", "v1.0", "main")
        made = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        toml = f'[nv]\nsource = "git"\ngit = "{outside.url_of("nv")}"\nprefix = "v"\n'
        made.begin(
            {},
            config=f"CI_GITLAB_URL={tags.url}\nCI_LOCAL_SOURCES=true\n",
            **{
                "lab/.CI/config": "CI_PKGBUILD_SOURCE=gitlab:group/lab\n",
                "nv/.CI/config": "CI_PKGBUILD_SOURCE=custom\nCI_NVCHECKER=true\n",
                "nv/nvchecker.toml": toml,
                **files("lab"),
                **files("nv"),
            },
        )
        yield made


@pytest.fixture
def forge(world: ScheduleWorld) -> Iterator[ForgeUnderTest]:
    with forge_of_kind("gitlab", world.remote) as made:
        yield made


def files(name: str) -> dict[str, str]:
    pkgbuild = (
        f"pkgname={name}\npkgver=1.0\npkgrel=2\narch=(any)\n"
        'source=("git+https://x.org/$pkgname.git#tag=v$pkgver")\nsha256sums=(SKIP)\n'
    )
    srcinfo = SRCINFO.format(name=name, version="1.0", release=2)
    return {f"{name}/PKGBUILD": pkgbuild, f"{name}/.SRCINFO": srcinfo}


def release(world: ScheduleWorld, tags: TagServer) -> None:
    tags.projects["group/lab"] = [("v1.1", NEW), ("v1.0", OLD)]
    world.outside.url_push("nv", {"a": "2"})
    git(world.outside.folder / "nv.git", "tag", "v1.1", "main")


def test_a_tag_becomes_an_update_and_a_review(
    world: ScheduleWorld, tags: TagServer, forge: ForgeUnderTest
) -> None:
    choice = ForgeChoice(forge.client)
    assert actions(world.run(reviews=choice)) == {}
    release(world, tags)

    result = world.run(reviews=choice)

    assert actions(result) == {"lab": ScheduleAction.UPDATE, "nv": ScheduleAction.REVIEW}
    assert world.subjects() == ["chore(update): lab"]
    assert world.asked() == [("lab",)]
    for name, branch in (("lab", "main"), ("nv", "update-nv")):
        expected = SRCINFO.format(name=name, version="1.1", release=1)
        assert world.file(f"{name}/.SRCINFO", branch) == expected.strip()
        assert "pkgver=1.1\npkgrel=1\n" in world.file(f"{name}/PKGBUILD", branch)
    (request,) = forge.forge.requests
    assert {"ci", "human-review", "update", "nvchecker"} <= set(request.labels)
    # It waits, and is made only once.
    assert actions(world.run(reviews=choice)) == {}
    assert len(forge.forge.requests) == 1


def test_without_reviews_both_are_updated(world: ScheduleWorld, tags: TagServer) -> None:
    config = world.file(".ci/config") + "\nCI_NVCHECKER_REVIEW=false\n"
    world.commit("ci: no reviews", {".ci/config": config})
    release(world, tags)

    result = world.run()

    assert actions(result) == {"lab": ScheduleAction.UPDATE, "nv": ScheduleAction.UPDATE}
    assert {decision.versions for decision in result.plan.reportable} == {"1.0-2 → 1.1-1"}


def test_without_a_forge_the_review_is_held(world: ScheduleWorld, tags: TagServer) -> None:
    release(world, tags)

    result = world.run()

    assert actions(result)["nv"] is ScheduleAction.HELD
    assert "found by nvchecker" in reasons(result)["nv"]


def test_a_run_can_be_repeated_from_its_recording(
    world: ScheduleWorld, tags: TagServer, tmp_path: Path
) -> None:
    release(world, tags)
    first = world.run(dry_run=True, record=tmp_path / "recording")
    asked = len(tags.asked)
    git(world.outside.folder / "nv.git", "tag", "v1.2", "main")

    again = world.run(replay=tmp_path / "recording")

    assert again.plan.to_dict() == first.plan.to_dict()
    assert len(tags.asked) == asked
    assert set(actions(again)) == {"lab", "nv"}
