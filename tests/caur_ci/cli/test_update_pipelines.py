"""`caur-ci update-pipelines`: pipelines follow tags, and keep what people changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.support.git import Checkout, git, srcinfo

if TYPE_CHECKING:
    from pathlib import Path

Captured = pytest.CaptureFixture[str]
PATH = ".gitlab-ci.yml"
OLD = (
    'variables:\n  CAUR_CI_VERSION: "0.1.0"\nstages: [a]\n\njob:\n  script: old\n\nlast:\n  x: 1\n'
)
NEW = OLD.replace("script: old", "script: new").replace("0.1.0", "0.1.9")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A repository with the pipeline of 0.1.0, in a world where 0.2.0 was released."""
    releases = Checkout.create(tmp_path / "releases")
    releases.commit("0.1.0", {"templates/gitlab-ci.yml": OLD.replace("0.1.0", "0.0.0")})
    git(releases.folder, "tag", "v0.1.0")
    releases.commit("0.2.0", {"templates/gitlab-ci.yml": NEW})
    git(releases.folder, "tag", "-am", "release", "v0.2.0")
    git(releases.folder, "tag", "v0.3.0rc1")
    releases.commit("evil", {"templates/gitlab-ci.yml": "script: evil\n"})
    releases.push("v0.1.0", "v0.2.0", "v0.3.0rc1")
    made = Checkout.create(tmp_path / "world")
    made.commit(
        "feat: begin",
        {
            ".ci/config": f"REPO_NAME=r\nBUILD_REPO=s\nTEMPLATE_REPO={releases.remote.as_uri()}\n",
            PATH: OLD,
            "a/PKGBUILD": "pkgname=a\n",
            "a/.SRCINFO": srcinfo("a"),
        },
    )
    made.schedule_here()
    monkeypatch.chdir(made.folder)
    return made


def update(*options: str) -> int:
    return run(["update-pipelines", *options], Session())


def pipeline(world: Checkout) -> str:
    return git(world.remote, "show", f"main:{PATH}") + "\n"


def edit(world: Checkout, old: str, new: str) -> None:
    world.commit("ci: ours", {PATH: OLD.replace(old, new)})
    world.schedule_here()


def test_the_newest_release_is_taken_over(world: Checkout) -> None:
    assert update() == ExitCode.OK

    assert pipeline(world) == OLD.replace("script: old", "script: new").replace("0.1.0", "0.2.0")
    subject = git(world.remote, "log", "-1", "--format=%s", "main")
    assert subject == "chore(ci): update CI from template"
    assert git(world.remote, "rev-parse", "scheduled") == git(world.remote, "rev-parse", "main")
    tip = git(world.remote, "rev-parse", "main")
    assert update() == ExitCode.OK
    assert git(world.remote, "rev-parse", "main") == tip


def test_what_people_changed_is_kept(world: Checkout) -> None:
    edit(world, "x: 1", "x: ours")

    assert update() == ExitCode.OK

    assert "script: new" in pipeline(world)
    assert "x: ours" in pipeline(world)


def test_what_both_changed_stays_and_is_told(world: Checkout, capsys: Captured) -> None:
    edit(world, "script: old", "script: ours")
    before = git(world.remote, "for-each-ref")

    assert update() == ExitCode.OK

    assert git(world.remote, "for-each-ref") == before
    assert "changed by hand where the release has changed it, too" in capsys.readouterr().err


def test_a_pipeline_of_somebody_else_stays(world: Checkout, capsys: Captured) -> None:
    edit(world, '  CAUR_CI_VERSION: "0.1.0"\n', "  OURS: 1\n")

    assert update() == ExitCode.OK
    assert "is none of ours" in capsys.readouterr().err


def test_a_certain_release(world: Checkout) -> None:
    update()

    assert update("--to", "0.1.0") == ExitCode.OK
    assert pipeline(world) == OLD
    assert update("--to", "9.9") == ExitCode.FAILED


def test_nothing_to_follow(world: Checkout, capsys: Captured) -> None:
    world.commit("ci", {".ci/config": "REPO_NAME=r\nBUILD_REPO=s\n"})
    world.schedule_here()

    assert update() == ExitCode.FAILED
    assert "TEMPLATE_REPO" in capsys.readouterr().err


def test_releases_out_of_reach(world: Checkout) -> None:
    config = (world.folder / ".ci/config").read_text().replace("remote.git", "gone.git")
    world.commit("ci", {".ci/config": config})
    world.schedule_here()

    assert update() == ExitCode.TEMPORARY


def test_only_where_the_configuration_says_so(world: Checkout, capsys: Captured) -> None:
    config = (world.folder / ".ci/config").read_text()
    for text in (f"{config}TEMPLATE_ENABLE_UPDATES=false\n", "REPO_NAME=r\nBUILD_REPO=s\n"):
        world.commit("ci", {".ci/config": text})
        world.schedule_here()
        tip = git(world.remote, "rev-parse", "main")

        assert update("--if-enabled") == ExitCode.OK

        assert git(world.remote, "rev-parse", "main") == tip
        assert "follow no releases" in capsys.readouterr().err
    world.commit("ci", {".ci/config": config})
    world.schedule_here()
    assert update("--if-enabled") == ExitCode.OK
    assert "script: new" in pipeline(world)
