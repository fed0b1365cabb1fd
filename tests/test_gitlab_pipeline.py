"""GitLab's pipeline, run by its rules: what happens, and which job sees which variable."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci import __version__
from scheduler.queue import Queue
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld
from tests.support.git import Checkout
from tests.support.gitlab_pipeline import GitLabPipelines
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

TEMPLATES = Path(__file__).parent.parent / "templates"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ScheduleWorld]:
    """A repository with the AUR package `a`, and with the pipeline."""
    with upstream(tmp_path / "upstream") as outside:
        made = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        pipeline = (TEMPLATES / "gitlab-ci.yml").read_text(encoding="utf-8")
        made.begin({"a": "1-1"}, **{".gitlab-ci.yml": pipeline})
        yield made


@pytest.fixture
def pipelines(world: ScheduleWorld, tmp_path: Path, redis_url: str) -> GitLabPipelines:
    """Pipelines of a project whose variables are those that the template tells of."""
    variables: dict[str, str | dict[str, str]] = {
        "ACCESS_TOKEN": "glpat-x",
        "REDIS_URL": {"queue": redis_url},
    }
    made = GitLabPipelines(world.checkout.folder, tmp_path / "gitlab", variables)
    made.prepare(__version__)
    return made


def ready(redis: Redis) -> set[str]:
    return {job.identity for job in Queue(redis).snapshot(limit=10).ready}


def test_a_push_is_decided_upon_and_handed_over(
    world: ScheduleWorld, pipelines: GitLabPipelines, redis: Redis
) -> None:
    world.checkout.commit(
        "feat: more", {f"b/{name}": text for name, text in files_of("b", "1-1").items()}
    )
    world.checkout.push()

    log = pipelines.run("push")

    assert log.endswith("exit code 0"), log
    assert pipelines.calls == ["on-commit: on-commit", "do-schedule: schedule --outbox"]
    assert ready(redis) == {"target/x86_64/b"}
    assert world.tag_is_at_tip()
    # Only the job that runs nothing of anybody else's knows the way to the queue.
    assert pipelines.jobs_with("REDIS_URL") == {"do-schedule"}


def test_what_is_new_at_the_aur_is_built(
    world: ScheduleWorld, pipelines: GitLabPipelines, redis: Redis
) -> None:
    world.outside.push({"a": "2-1"})

    log = pipelines.run("schedule")

    assert log.endswith("exit code 0"), log
    assert pipelines.calls == [
        "on-schedule: comments",
        "on-schedule: update-pipelines --if-enabled",
        "on-schedule: on-schedule",
        "do-schedule: schedule --outbox",
    ]
    # GitLab is out of reach, which stops nothing but the comments.
    assert "not all comments were dealt with" in log
    assert "pkgver=2" in world.file("a/PKGBUILD")
    assert ready(redis) == {"target/x86_64/a"}
    assert pipelines.jobs_with("REDIS_URL") == {"do-schedule"}


def test_people_bump_and_add_packages(
    world: ScheduleWorld, pipelines: GitLabPipelines, redis: Redis
) -> None:
    log = pipelines.run("web", OPERATION="Bump Packages", PACKAGES="a")

    assert log.endswith("exit code 0"), log
    assert pipelines.calls == ["manual-bump: bump", "do-schedule: schedule --outbox"]
    assert "CI_PACKAGE_BUMP=1-1/1" in world.file("a/.CI/config")

    world.outside.push({"new": "3-1"})
    log = pipelines.run(
        "api", OPERATION="Add Packages", ADD_PACKAGES="new/aur", REQUEST_REASON="request"
    )

    assert log.endswith("exit code 0"), log
    assert pipelines.calls == ["manual-add: add", "do-schedule: schedule --outbox"]
    assert "REQ_REASON=request" in world.file("new/.CI/info")
    assert ready(redis) == {"target/x86_64/a", "target/x86_64/new"}


def test_what_is_typed_is_no_script(pipelines: GitLabPipelines, redis: Redis) -> None:
    log = pipelines.run(
        "web", OPERATION="Bump Packages", PACKAGES="a:$(touch hacked)';touch hacked"
    )

    assert not log.endswith("exit code 0")
    assert pipelines.calls == ["manual-bump: bump"]
    assert not list(pipelines.base.parent.rglob("hacked"))
    assert ready(redis) == set()


def test_a_stranger_is_told_what_is_wrong(world: ScheduleWorld, pipelines: GitLabPipelines) -> None:
    base = world.checkout.head()
    world.checkout.commit("a change", {"a/.CI/config": "CI_MANAGE_AUR=perhaps\n"})

    log = pipelines.run("merge_request_event", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)

    assert not log.endswith("exit code 0")
    assert "CI_MANAGE_AUR" in log
    assert [call.partition(":")[0] for call in pipelines.calls] == ["validate", "validate"]
    assert pipelines.jobs_with("REDIS_URL") == set()
    assert "CI_MANAGE_AUR" in (world.checkout.folder / "gl-code-quality.json").read_text()


# Publishes something on branch `pages`, and ends as if a package had failed.
_PUBLISHING = """\
#!/bin/sh
mkdir -p "$CAUR_WORK_DIR/logs" && echo "$PUBLISH_TO" >"$CAUR_WORK_DIR/logs/a:1.log"
stat --format=%a "$CI_PROJECT_DIR" "$CI_PROJECT_DIR.tmp" >"$CAUR_WORK_DIR/modes"
git push --quiet origin HEAD:pages
exit 3
"""


@pytest.mark.parametrize(
    ("source", "variables", "call"),
    [
        ("schedule", {}, "run on-schedule"),
        ("web", {"PACKAGE": "a", "RETRY_FAILED": "true"}, "run on-commit"),
    ],
)
def test_without_a_server_one_job_does_all_and_pages_serves_it(
    tmp_path: Path, source: str, variables: dict[str, str], call: str
) -> None:
    checkout = Checkout.create(tmp_path / "world")
    pipeline = (TEMPLATES / "gitlab-ci-serverless.yml").read_text(encoding="utf-8")
    checkout.commit("feat: begin", {".gitlab-ci.yml": pipeline, "a/PKGBUILD": "pkgname=a\n"})
    checkout.push()
    program = tmp_path / "publishing"
    program.write_text(_PUBLISHING)
    program.chmod(0o755)
    pipelines = GitLabPipelines(checkout.folder, tmp_path / "gitlab", {"ACCESS_TOKEN": "glpat-x"})
    pipelines.prepare(__version__, program)
    # Where GitLab's runners put variables of type File.
    checkout.folder.with_name(f"{checkout.folder.name}.tmp").mkdir()
    places = {"CAUR_WORK_DIR": tmp_path / "work", "CI_PROJECT_DIR": checkout.folder}

    log = pipelines.run(source, **{name: str(path) for name, path in places.items()}, **variables)

    assert log.endswith("exit code 0"), log
    asked = " --package a --retry-failed" if variables else ""
    assert pipelines.calls == [f"run: {call} --workers 1 --timeout 10000{asked}"]
    assert (checkout.folder / "public/a/PKGBUILD").read_text() == "pkgname=a\n"
    names = subprocess.run(
        ["tar", "--list", "--file", checkout.folder / "caur-ci-logs.tar"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "logs/a:1.log" in names.splitlines()
    assert (tmp_path / "work/logs/a:1.log").read_text().endswith(".git#pages\n")
    # Builds run as another user there.
    assert (tmp_path / "work/modes").read_text() == "700\n700\n"
