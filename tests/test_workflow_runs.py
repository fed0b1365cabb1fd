"""GitHub's workflow, run step by step: what happens, and which job sees which secret."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scheduler.queue import Queue
from tests.support.git import Checkout, git, srcinfo
from tests.support.workflow import Workflow

if TYPE_CHECKING:
    from redis import Redis

TEMPLATES = Path(__file__).parent.parent / "templates"
_CONFIG = (
    "REPO_NAME=target\nBUILD_REPO=source\nGIT_AUTHOR_NAME=ci\nGIT_AUTHOR_EMAIL=ci@example.org\n"
)
_QUEUE_SECRETS = {"REDIS_URL", "REDIS_PASSWORD", "REDIS_SSH_KEY"}
# Installing is the runner's own affair: everything is here already.
_SHIM = "#!/bin/sh\nexit 0\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    checkout = Checkout.create(tmp_path / "origin")
    recipe = "pkgname=app\npkgver=1\npkgrel=1\narch=(any)\nlicense=(MIT)\n"
    files = {".ci/config": _CONFIG, "app/.SRCINFO": srcinfo("app"), "app/PKGBUILD": recipe}
    checkout.commit(
        "feat: app", {**files, ".gitignore": ".ci/schedule*\n.ci/deptree.txt\n.state/\n"}
    )
    checkout.push()
    return checkout


def run_workflow(
    name: str, checkout: Checkout, base: Path, redis_url: str, event: str, **inputs: str
) -> Workflow:
    """Run a workflow with every secret that there may be."""
    shims = base / "shims"
    shims.mkdir(parents=True)
    for program in ("pip", "pipx", "sudo", "apt-get"):
        (shims / program).write_text(_SHIM)
        (shims / program).chmod(0o755)
    secrets = {"REDIS_URL": redis_url, "REDIS_PASSWORD": "", "AUR_KEY": "", "ACCESS_TOKEN": "acc"}
    head = checkout.head()
    before = git(checkout.folder, "rev-list", "--max-count=2", "HEAD").splitlines()[-1]
    workflow = Workflow(
        file=TEMPLATES / name,
        remote=checkout.remote,
        base=base,
        programs=f"{shims}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        contexts={
            "github": {
                "event_name": event,
                "sha": head,
                "token": "tok",
                "run_id": "77",
                "repository": "me/packages",
                "workspace": str(base),
                "event": {"pull_request": {"base": {"sha": before}}},
            },
            "inputs": {"operation": "", "packages": "", **inputs},
            "secrets": secrets,
            "vars": {},
        },
    )
    workflow.run()
    return workflow


@pytest.mark.parametrize("template", ["github-workflow.yml", "forgejo-workflow.yml"])
def test_a_push_is_decided_upon_and_handed_over(
    template: str, checkout: Checkout, tmp_path: Path, redis_url: str, redis: Redis
) -> None:
    done = run_workflow(template, checkout, tmp_path / "run", redis_url, "push")

    assert done.results == {
        "validate": "skipped",
        "on-commit": "success",
        "on-schedule": "skipped",
        "manual": "skipped",
        "do-schedule": "success",
    }
    assert git(checkout.remote, "rev-parse", "scheduled") == checkout.head()
    (job,) = Queue(redis).snapshot(limit=10).ready
    assert job.identity == "target/x86_64/app"
    assert "REDIS_URL" in done.seen["do-schedule"]
    others = [seen for job, seen in done.seen.items() if job != "do-schedule"]
    assert not _QUEUE_SECRETS & {name for seen in others for name in seen}


def test_a_person_bumps_a_package(
    checkout: Checkout, tmp_path: Path, redis_url: str, redis: Redis
) -> None:
    run_workflow("github-workflow.yml", checkout, tmp_path / "first", redis_url, "push")
    done = run_workflow(
        "github-workflow.yml",
        checkout,
        tmp_path / "second",
        redis_url,
        "workflow_dispatch",
        operation="Bump Packages",
        packages="app",
    )

    assert done.results["manual"] == done.results["do-schedule"] == "success"
    assert done.results["on-commit"] == done.results["on-schedule"] == "skipped"
    assert "CI_PACKAGE_BUMP" in git(checkout.remote, "show", "main:app/.CI/config")
    assert [job.identity for job in Queue(redis).snapshot(limit=10).ready] == ["target/x86_64/app"]


@pytest.mark.parametrize("template", ["github-workflow.yml", "github-workflow-serverless.yml"])
def test_a_stranger_is_told_what_is_wrong_and_gets_no_secret(
    template: str, checkout: Checkout, tmp_path: Path, redis_url: str
) -> None:
    checkout.commit("a change", {"app/.CI/config": "CI_MANAGE_AUR=perhaps\n"})
    checkout.push()
    done = run_workflow(template, checkout, tmp_path / "run", redis_url, "pull_request")

    assert done.results.pop("validate") == "failure"
    assert set(done.results.values()) == {"skipped"}
    assert done.seen["validate"] == set()
    assert "CI_MANAGE_AUR" in (tmp_path / "run" / "validate.log").read_text()


def test_what_is_typed_is_no_script(checkout: Checkout, tmp_path: Path, redis_url: str) -> None:
    done = run_workflow(
        "github-workflow.yml",
        checkout,
        tmp_path / "run",
        redis_url,
        "workflow_dispatch",
        operation="Bump Packages",
        packages="app'; touch hacked; echo '$(touch hacked)",
    )

    assert done.results["manual"] == "failure"
    assert not list((tmp_path / "run").rglob("hacked"))
