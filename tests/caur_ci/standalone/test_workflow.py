"""The pipelines that need no server, run around the real command, from a push to a package."""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci import __version__
from caur_ci.process import run
from tests.support.gitlab_pipeline import GitLabPipelines
from tests.support.overlays import in_overlays
from tests.support.packages import pkgbuild
from tests.support.workflow import Workflow

if TYPE_CHECKING:
    from tests.caur_ci.standalone.conftest import RunWorld
    from tests.support.packages import SigningKey

# GitHub's job builds here without containers, in which nothing can be installed.
_NEEDS = {"github": "", "forgejo": "makedepends=(lib)"}
_TEMPLATES = Path(__file__).parents[3] / "templates"


def shims(folder: Path) -> Path:
    """Return a folder of programs that install nothing: everything is here already."""
    folder.mkdir()
    pacman = f'#!/bin/sh\n[ "$1" = -Syu ] || exec {shutil.which("pacman")} "$@"\n'
    nothing = "#!/bin/sh\nexit 0\n"
    for name in ("pip", "pipx", "sudo", "pacman"):
        (folder / name).write_text(pacman if name == "pacman" else nothing)
        (folder / name).chmod(0o755)
    return folder


def exported(key: SigningKey) -> str:
    export = ["gpg", "--homedir", str(key.home), "--batch", "--armor", "--export-secret-keys"]
    return run(export).stdout.decode()


def workflow_of(forge: str, world: RunWorld, key: SigningKey, head: str) -> Workflow:
    """Return the workflow for a push of the commit `head`."""
    (world.base / "run").mkdir()
    programs = [shims(world.base / "shims"), Path(sys.executable).parent, os.environ["PATH"]]
    return Workflow(
        file=_TEMPLATES / f"{forge}-workflow-serverless.yml",
        remote=world.checkout.remote,
        base=world.base / "run",
        programs=":".join(map(str, programs)),
        contexts={
            "github": {
                "event_name": "push",
                "sha": head,
                "token": "tok",
                "repository": "me/packages",
                "server_url": "https://forge.example.org",
                "workspace": str(world.base / "run"),
            },
            "inputs": {},
            "secrets": {"ACCESS_TOKEN": "acc", "GPG_PRIVATE_KEY": exported(key)},
            "vars": {"PUBLISH_TO": str(world.target)},
        },
        runner={"BUILDER_EXECUTOR": "host"},  # GitHub's machines have containers
        machine=partial(in_overlays, world.base),
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make overlays here")
@pytest.mark.parametrize("forge", ["github", "forgejo"])
def test_a_push_becomes_a_package_in_one_job(forge: str, world: RunWorld, key: SigningKey) -> None:
    head = world.push("feat: tool", lib=pkgbuild("lib"), tool=pkgbuild("tool", head=_NEEDS[forge]))
    workflow = workflow_of(forge, world, key, head)

    workflow.run()

    log = (world.base / "run/run.log").read_text()
    assert workflow.results == {"validate": "skipped", "run": "success"}, log
    assert "acc" not in log.split()
    assert "PRIVATE KEY" not in log
    client = world.client(key)
    client.install("tool")
    assert client.installed() == {"tool": "1-1"}
    assert (world.base / "run/run/caur-ci-logs.tar").stat().st_size > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make overlays here")
def test_a_push_with_nothing_to_build_is_well(world: RunWorld, key: SigningKey) -> None:
    workflow = workflow_of("github", world, key, world.push("docs: nothing to build"))

    workflow.run()

    log = (world.base / "run/run.log").read_text()
    assert workflow.results["run"] == "success", log
    assert not world.target.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make overlays here")
def test_gitlabs_pipeline_ends_in_pages_that_pacman_reads(world: RunWorld, key: SigningKey) -> None:
    checkout = world.checkout
    pipeline = (_TEMPLATES / "gitlab-ci-serverless.yml").read_text(encoding="utf-8")
    checkout.commit("feat: begin", {".gitlab-ci.yml": pipeline})
    world.push("feat: tool", lib=pkgbuild("lib"), tool=pkgbuild("tool", head="makedepends=(lib)"))
    pipelines = GitLabPipelines(
        checkout.folder,
        world.base / "gitlab",
        {
            "ACCESS_TOKEN": "glpat-x",
            "GPG_PRIVATE_KEY": exported(key),
            "PUBLISH_TO": f"git+{checkout.remote.as_uri()}#pages",
        },
        partial(in_overlays, world.base),
    )
    pipelines.prepare(__version__)

    log = pipelines.run("push", CAUR_WORK_DIR=str(world.work))

    assert log.endswith("exit code 0"), log
    assert pipelines.calls == ["run: run on-commit --workers 1 --timeout 10000"]
    shutil.move(checkout.folder / "public", world.target)
    client = world.client(key)
    client.install("tool")
    assert client.available() == {"lib": "1-1", "tool": "1-1"}
