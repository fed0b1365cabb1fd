"""What builds are told about where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.job import JobState
from tests.support.packages import pkgbuild

if TYPE_CHECKING:
    from tests.support.building import BuildWorld


def test_the_variables_of_the_existing_system(world: BuildWorld) -> None:
    text = pkgbuild("tool", build="env")
    files = {"PKGBUILD": text, ".CI/config": "BUILDER_EXTRA_TIMEOUT=3"}
    assert world.build(files).state is JobState.LANDED
    lines = world.log().splitlines()
    for line in (
        "BUILDER_HOSTNAME=builder",
        "BUILDER_TIMEOUT=300",
        "CI_CODE_SKIP=123",
        "PACKAGE_REPO_ID=source",
        f"PACKAGE_REPO_URL={world.checkout.remote.as_uri()}",
        "PACMAN_REPO=repo",
    ):
        assert line in lines
