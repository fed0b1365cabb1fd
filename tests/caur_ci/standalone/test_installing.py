"""A run on a machine that is thrown away, as at GitLab and Forgejo: pacman installs there."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ExitCode
from tests.support.overlays import in_overlays
from tests.support.packages import pkgbuild

if TYPE_CHECKING:
    from tests.caur_ci.standalone.conftest import RunWorld
    from tests.support.packages import SigningKey


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make overlays here")
def test_what_was_just_built_is_installed_for_what_needs_it(
    world: RunWorld, key: SigningKey
) -> None:
    world.push(
        "feat: packages",
        app=pkgbuild("app", head="makedepends=('lib=1')", build="[[ -d /usr/share/lib ]]"),
        lib=pkgbuild("lib"),
        lost=pkgbuild("lost", head="makedepends=('nowhere')"),
    )

    done = subprocess.run(
        in_overlays(world.base, world.command()),
        env={**os.environ, **world.environment, "BUILDER_INSTALL": "true"},
        cwd=world.base,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == ExitCode.PARTIAL, done.stderr
    assert "lost: failed: the first error, in installing dependencies" in done.stderr
    assert world.client(key).available() == {"app": "1-1", "lib": "1-1"}
