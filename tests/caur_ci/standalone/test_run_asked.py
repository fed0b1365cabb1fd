"""What `caur-ci run` is asked for besides what changes ask for, and when readers get it."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from caur_ci.errors import ExitCode
from tests.caur_ci.standalone.conftest import waiting
from tests.support.packages import pkgbuild
from tests.support.queue import eventually

if TYPE_CHECKING:
    from typing import Any

    from tests.caur_ci.standalone.conftest import RunWorld
    from tests.support.packages import SigningKey


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {it["package"]: it["outcome"] for it in report["packages"]}


def test_what_failed_or_is_named_is_built_without_a_change(
    world: RunWorld, key: SigningKey
) -> None:
    bad = pkgbuild("bad", build=f"[[ -e {world.gate}/mended ]]")
    world.push("feat: packages", lib=pkgbuild("lib"), bad=bad)
    assert outcomes(world.report(code=ExitCode.PARTIAL)) == {"lib": "SUCCESS", "bad": "FAILED"}

    (world.gate / "mended").touch()
    assert outcomes(world.report("--retry-failed")) == {"bad": "SUCCESS"}
    assert world.client(key).available() == {"bad": "1-1", "lib": "1-1"}
    done = world.run("--retry-failed")
    assert done.returncode == ExitCode.OK
    assert "no package failed in an earlier run" in done.stderr

    # A new target is filled with all but what is on hold; what a commit asks for is built once.
    shutil.rmtree(world.target)
    shutil.rmtree(world.work)
    world.push("feat: one more", tool=pkgbuild("tool"))
    world.hold("lib")
    done = world.run("--package", "all", "--dry-run")
    assert "on hold, so not asked for: lib" in done.stderr
    assert world.outbox() == set()
    assert outcomes(world.report("--package", "all")) == {"bad": "SUCCESS", "tool": "SUCCESS"}
    assert world.client(key).available() == {"bad": "1-1", "tool": "1-1"}
    assert world.outbox() == set()


def test_a_name_that_is_not_there_or_on_hold_or_for_another_machine(world: RunWorld) -> None:
    world.config += "CI_ARCHITECTURES=aarch64\n"
    world.push("feat: packages", lib=pkgbuild("lib"))
    world.checkout.schedule_here()

    assert world.run("--package", "nobody").returncode == ExitCode.FAILED
    report = world.report("--package", "lib", code=ExitCode.PARTIAL)
    assert (report["packages"], report["left"]) == (
        [],
        {"lib": "nothing is built for aarch64 here"},
    )
    world.hold("lib")
    done = world.run("--package", "lib")
    assert done.returncode == ExitCode.FAILED
    assert "lib is on hold" in done.stderr
    assert not world.target.exists()


def test_readers_have_what_is_built_while_other_builds_go_on(
    world: RunWorld, key: SigningKey
) -> None:
    second = waiting(world, "second").replace("build() {", "depends=(first)\nbuild() {", 1)
    world.push("feat: packages", first=pkgbuild("first"), second=second)
    log = world.base / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            world.command("--publish-every", "1"),
            env={**os.environ, **world.environment},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            eventually(lambda: world.outbox() == {"second"}, within=100)
            assert world.client(key).available() == {"first": "1-1"}
            assert process.poll() is None
        finally:
            (world.gate / "second").touch()
        assert process.wait() == ExitCode.OK, log.read_text()
    assert world.client(key).available() == {"first": "1-1", "second": "1-1"}
    assert world.outbox() == set()
