"""How builds end that do not end by themselves, and what is not built at all."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.settings import ExtraRepository, TargetRepository
from tests.support.packages import make_package, pkgbuild
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.building import BuildSite

MEBIBYTE = 1024 * 1024


def test_the_time_counts_from_the_fetching_of_sources_on(site: BuildSite) -> None:
    with site.world(timeout=2) as world:
        text = pkgbuild("tool", head="prepare() { while :; do sleep 0.1; done; }")
        view = world.build({"PKGBUILD": text, ".CI/on-failure.sh": 'echo "hook: $CAUR_OUTCOME"'})
        assert (view.outcome, view.reason) == (Outcome.TIMED_OUT, "it took longer than 2 s")
        assert "Starting build()" not in world.log()
        # It has some time of its own.
        assert "hook: TIMED_OUT" in world.log()


def test_a_build_without_a_sign_of_life_is_ended_as_stalled(site: BuildSite) -> None:
    with site.world(stall=1) as world:
        view = world.build({"PKGBUILD": pkgbuild("tool", build="sleep 100")})
        assert (view.outcome, view.failure) == (Outcome.TIMED_OUT, FailureClass.STALLED)
        assert view.reason == "it neither printed anything nor used the processor for 1 s"
        assert "ended: TIMED_OUT (stalled)" in world.log()


@pytest.mark.parametrize(
    "work",
    ["while ((SECONDS < 5)); do :; done", "for i in {1..25}; do echo $i; sleep 0.2; done"],
)
def test_whoever_computes_or_prints_is_alive(site: BuildSite, work: str) -> None:
    with site.world(stall=3) as world:
        view = world.build({"PKGBUILD": pkgbuild("tool", build=f"SECONDS=0; {work}")})
        assert view.state is JobState.LANDED, view.reason


def test_a_build_that_fills_the_disk_is_ended(site: BuildSite) -> None:
    need_tools("fallocate")
    free = shutil.disk_usage(site.shared).free // MEBIBYTE
    if free < 4096:
        pytest.skip("there is little room on this disk")
    with site.world(min_free=free - 1024) as world:
        text = pkgbuild("tool", build="fallocate -l 2G big; while :; do sleep 0.1; done")
        view = world.build({"PKGBUILD": text})
        assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.DISK_FULL)
        assert f"less than {free - 1024} MiB are left" in view.reason


def test_a_worker_without_room_does_not_begin(site: BuildSite) -> None:
    with site.world(min_free=10**9) as world:
        view = world.build({"PKGBUILD": pkgbuild("tool")})
        assert (view.state, view.lost) == (JobState.WAITING, 1)
        assert "MiB are free on this worker" in view.reason
        assert "makepkg" not in world.log()


@pytest.mark.parametrize("function", ["prepare", "build", "check"])
def test_a_package_can_skip_its_build_anywhere(site: BuildSite, function: str) -> None:
    with site.world() as world:
        head = "" if function == "build" else f"{function}() {{ exit $CI_CODE_SKIP; }}"
        build = "exit $CI_CODE_SKIP" if function == "build" else ":"
        view = world.build({"PKGBUILD": pkgbuild("tool", head=head, build=build)})
        assert (view.outcome, view.failure) == (Outcome.SKIPPED, None), world.log()


@pytest.fixture
def published(site: BuildSite) -> TargetRepository:
    """A target repository that has tool 1-1 and tool-doc 1-1."""
    need_tools("repo-add", "bsdtar", "zstd")
    folder: Path = site.shared / "www" / "x86_64"
    folder.mkdir(parents=True)
    files = [make_package(folder, name, "1-1", base="tool") for name in ("tool", "tool-doc")]
    run(["repo-add", "--quiet", folder / "repo.db.tar.zst", *files])
    server = ExtraRepository(name="repo", servers=(f"{folder.parent.as_uri()}/$arch",))
    return TargetRepository(name="repo", extra_repos=(server,))


def test_what_the_repository_has_is_not_built_again(
    site: BuildSite, published: TargetRepository
) -> None:
    split = pkgbuild("tool").replace("pkgname=tool", "pkgname=(tool tool-doc)")
    split = split.replace("package() {", "package_tool-doc() { :; }\npackage_tool() {")
    with site.world(target=published) as world:
        view = world.build({"PKGBUILD": split})
        assert view.outcome is Outcome.ALREADY_BUILT, world.log()
        assert "tool-1-1-any.pkg.tar.zst, tool-doc-1-1-any.pkg.tar.zst" in view.reason
        assert "Starting build()" not in world.log()
        view = world.build({"PKGBUILD": split, ".CI/config": "CI_PACKAGE_BUMP=1"})
        assert view.state is JobState.LANDED, view.reason


def test_no_step_of_ours_goes_by_what_the_build_has_left_at_home(
    site: BuildSite, published: TargetRepository
) -> None:
    need_tools("curl")
    leaves = 'prepare() { printf \'url = "file:///dev/zero"\\noutput = "-"\\n\' >"$HOME/.curlrc"; }'
    with site.world(target=published) as world:
        view = world.build({"PKGBUILD": pkgbuild("tool", version="2", head=leaves)})
        assert view.state is JobState.LANDED, view.reason


def test_one_package_that_is_missing_is_reason_enough(
    site: BuildSite, published: TargetRepository
) -> None:
    split = pkgbuild("tool").replace("pkgname=tool", "pkgname=(tool tool-new)")
    split = split.replace("package() {", "package_tool-new() { :; }\npackage_tool() {")
    with site.world(target=published) as world:
        assert world.build({"PKGBUILD": split}).state is JobState.LANDED


def test_the_version_that_pkgver_finds_counts(site: BuildSite, published: TargetRepository) -> None:
    with site.world(target=published) as world:
        found = pkgbuild("tool", version="0", head="pkgver() { echo 1; }")
        view = world.build({"PKGBUILD": found})
        assert view.outcome is Outcome.ALREADY_BUILT, world.log()
