"""A run on a machine that is thrown away, as at GitLab and Forgejo: pacman installs there."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ExitCode
from caur_ci.process import run
from tests.support.overlays import in_overlays
from tests.support.packages import pkgbuild

if TYPE_CHECKING:
    from pathlib import Path

    from tests.caur_ci.standalone.conftest import RunWorld
    from tests.support.packages import SigningKey


pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make overlays here")


def run_installing(world: RunWorld) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        in_overlays(world.base, world.command()),
        env={**os.environ, **world.environment, "BUILDER_INSTALL": "true"},
        cwd=world.base,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_was_just_built_is_installed_for_what_needs_it(
    world: RunWorld, key: SigningKey
) -> None:
    world.push(
        "feat: packages",
        app=pkgbuild("app", head="makedepends=('lib=1')", build="[[ -d /usr/share/lib ]]"),
        lib=pkgbuild("lib"),
        lost=pkgbuild("lost", head="makedepends=('nowhere')"),
    )

    done = run_installing(world)

    assert done.returncode == ExitCode.PARTIAL, done.stderr
    assert "lost: failed: the first error, in installing dependencies" in done.stderr
    assert world.client(key).available() == {"app": "1-1", "lib": "1-1"}


def test_what_an_earlier_run_has_published_is_installed_though_nobody_knows_its_address(
    world: RunWorld, tmp_path: Path
) -> None:
    run(["git", "init", "--quiet", "--bare", tmp_path / "pages.git"])
    world.publish_to = f"git+file://{tmp_path}/pages.git"
    lib = pkgbuild("lib", head="depends=('data>=1')")
    world.push("feat: libraries", data=pkgbuild("data"), lib=lib)
    world.report()

    shutil.rmtree(world.work)
    build = "[[ -d /usr/share/lib && -d /usr/share/data ]]"
    world.push("feat: app", app=pkgbuild("app", head="makedepends=('lib')", build=build))
    done = run_installing(world)

    assert done.returncode == ExitCode.OK, done.stderr
