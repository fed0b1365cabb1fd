"""What would be refused at publishing is told before it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.job import FailureClass, JobState, Outcome
from tests.support.packages import pkgbuild, srcinfo_of

if TYPE_CHECKING:
    from tests.support.building import BuildWorld

TEXT = pkgbuild("tool")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT.replace("pkgrel=1", "pkgrel=2"), "tool has version 1-2, its pkgrel has to be 1"),
        (TEXT.replace("pkgver=1", "pkgver=2"), "tool has version 2-1, the .SRCINFO has pkgver 1"),
        (TEXT.replace("pkgver=1", "pkgver=1\nepoch=1"), "has epoch 0"),
        (TEXT.replace("pkgname=tool", "pkgname=other"), "belongs to pkgbase other, not to tool"),
        (
            TEXT.replace("pkgname=tool", "pkgbase=tool\npkgname=(tool more)").replace(
                "package() {", "package_more() { :; }\npackage_tool() {"
            ),
            "more is none of the packages of tool",
        ),
    ],
)
def test_a_srcinfo_out_of_step(world: BuildWorld, text: str, words: str) -> None:
    view = world.build({"PKGBUILD": text, ".SRCINFO": srcinfo_of(TEXT, "tool")})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.CONFIGURATION)
    assert "the .SRCINFO of tool is out of step with its PKGBUILD" in view.reason
    assert words in view.reason
    assert "Starting build()" not in world.log()
    assert view.reason in world.log()


def test_a_missing_srcinfo(world: BuildWorld) -> None:
    view = world.build({"PKGBUILD": TEXT, ".SRCINFO": None})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.CONFIGURATION)
    assert "tool has no .SRCINFO" in view.reason
    assert "caur-ci srcinfo --write tool" in view.reason


def test_what_publishing_allows_is_built(world: BuildWorld) -> None:
    found = TEXT.replace("pkgver=1", "pkgver=3") + "pkgver() { echo 4; }\n"
    view = world.build(
        {
            "PKGBUILD": found,
            ".SRCINFO": srcinfo_of(TEXT, "tool"),
            ".CI/config": "CI_PACKAGE_BUMP=2",
        }
    )
    assert view.state is JobState.LANDED, view.reason
