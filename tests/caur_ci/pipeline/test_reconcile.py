"""HEAD against what is published and queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.git import GitRepository
from caur_ci.pipeline.reconcile import BuildSide, Discrepancy, Standing, discrepancies
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.memory.holds import Hold, Holds
from tests.support.git import Checkout, srcinfo

if TYPE_CHECKING:
    from pathlib import Path

PKGBUILD = "pkgname=x\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.create(tmp_path / "world")


@pytest.fixture
def repository(checkout: Checkout) -> CommittedRepository:
    checkout.commit(
        "feat: begin",
        {
            "a/PKGBUILD": PKGBUILD,
            "a/.SRCINFO": srcinfo("a"),
            "b/PKGBUILD": PKGBUILD,
            "b/.SRCINFO": srcinfo("b", names=("b", "b-docs")),
            "c/PKGBUILD": f"{PKGBUILD}pkgver() {{ :; }}\n",
            "c/.SRCINFO": srcinfo("c"),
            "d/PKGBUILD": PKGBUILD,
            "d/.SRCINFO": srcinfo("d").replace("arch = any", "arch = aarch64"),
            "d/.CI/config": "CI_PACKAGE_BUMP=2\n",
            "docs/x.md": "no package",
        },
    )
    git = GitRepository.open(checkout.folder)
    return CommittedRepository.read(git, git.commit_id("HEAD"))


ALL = {"a": "1-1", "b": "1-1", "b-docs": "1-1", "c": "7-1"}


def compared(repository: CommittedRepository, **build_side: object) -> dict[str, str]:
    side = BuildSide(arch="x86_64", **({"published": ALL} | build_side))  # type: ignore[arg-type]
    return {one.package: one.standing.value for one in discrepancies(repository, side)}


def test_nothing_is_told_where_all_is_published(repository: CommittedRepository) -> None:
    assert compared(repository) == {}


def test_what_is_not_published_in_whole_is_missing(repository: CommittedRepository) -> None:
    assert compared(repository, published={"a": "1-1", "b": "1-1", "c": "1-1"}) == {"b": "missing"}


def test_an_older_version_is_outdated(repository: CommittedRepository) -> None:
    assert compared(repository, published=ALL | {"a": "0.9-3"}) == {"a": "outdated"}


def test_what_is_on_hold_is_told_apart(repository: CommittedRepository) -> None:
    side = BuildSide(arch="x86_64", published=ALL | {"a": "0.9-3"})
    holds = Holds(packages={name: Hold("bob", 0, "odd") for name in ("a", "b")})

    (found,) = discrepancies(repository, side, holds)

    assert (found.package, found.standing) == ("a", Standing.HELD)
    assert found.reason.startswith("on hold by bob since 1970-01-01 00:00 UTC: odd; published is")


def test_a_newer_one_is_for_the_publisher_to_judge(repository: CommittedRepository) -> None:
    assert compared(repository, published=ALL | {"a": "1:0-1"}) == {}


def test_the_bump_counts(repository: CommittedRepository, checkout: Checkout) -> None:
    checkout.commit("chore(bump): a", {"a/.CI/config": "CI_PACKAGE_BUMP=2\n"})
    git = GitRepository.open(checkout.folder)

    bumped = CommittedRepository.read(git, git.commit_id("HEAD"))

    assert compared(bumped) == {"a": "outdated"}
    assert compared(bumped, published=ALL | {"a": "1-1.2"}) == {}


def test_what_is_queued_is_on_its_way(repository: CommittedRepository) -> None:
    assert compared(repository, published={}, queued={"a", "b"}) == {"c": "missing"}


def test_what_failed_is_told_as_that(repository: CommittedRepository) -> None:
    side = BuildSide(arch="x86_64", published=ALL | {"a": "0-1"}, failed={"a": "no space left"})

    (found,) = discrepancies(repository, side)

    assert found == Discrepancy("a", Standing.FAILED, found.reason)
    assert "no space left" in found.reason


def test_what_no_folder_makes_is_extra(repository: CommittedRepository) -> None:
    published = ALL | {"a-debug": "1-1", "old": "3-1"}

    assert compared(repository, published=published) == {"old": "extra"}


def test_nothing_is_extra_while_a_folder_cannot_be_read(
    repository: CommittedRepository, checkout: Checkout
) -> None:
    checkout.commit("x", {"odd/PKGBUILD": PKGBUILD, "odd/.SRCINFO": "<<<<\n"})
    git = GitRepository.open(checkout.folder)

    unsure = CommittedRepository.read(git, git.commit_id("HEAD"))

    assert compared(unsure, published=ALL | {"old": "3-1"}) == {}


def test_another_architecture_expects_what_is_for_it(
    checkout: Checkout, repository: CommittedRepository
) -> None:
    side = BuildSide(arch="aarch64", published=ALL)
    assert discrepancies(repository, side) == []
    config: dict[str, str | bytes | None] = {".ci/config": "CI_ARCHITECTURES=x86_64 aarch64\n"}
    git = GitRepository.open(checkout.folder)
    repository = CommittedRepository.read(git, checkout.commit("more", config))

    assert [one.package for one in discrepancies(repository, side)] == ["d"]
