"""`caur-ci init`: a repository that works, in an empty folder."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.config import load_repository_config
from caur_ci.errors import ExitCode
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from tests.support.git import git, make_repository

if TYPE_CHECKING:
    from pathlib import Path

Captured = pytest.CaptureFixture[str]
PIPELINES = [
    ("gitlab", ".gitlab-ci.yml"),
    ("github", ".github/workflows/caur-ci.yml"),
    ("forgejo", ".forgejo/workflows/caur-ci.yml"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where to begin."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "my-packages"


def init(folder: Path, *options: str) -> int:
    return run(["init", str(folder), *options], Session())


def test_the_first_push_builds_the_example(folder: Path, tmp_path: Path) -> None:
    assert init(folder, "--forge", "gitlab") == ExitCode.OK

    make_repository(tmp_path / "remote.git", bare=True)
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "feat: begin")
    git(folder, "push", "--quiet", "origin", "main")
    plan = on_commit(OnCommitOptions(repo=folder)).plan
    assert [package.pkgbase for package in plan.request.packages] == ["hello-caur"]
    assert (plan.request.target_repo, plan.request.source_repo) == ("my-packages", "my-packages")
    assert plan.warnings == ()
    # What the pipelines write is no part of the repository.
    assert git(folder, "status", "--porcelain") == ""


def test_the_configuration_says_what_was_asked_for(folder: Path) -> None:
    init(folder, "--target-repo", "extra", "--source-repo", "src", "--review")

    loaded = load_repository_config((folder / ".ci/config").read_bytes())
    assert not list(loaded.warnings)
    config = loaded.config
    assert (config.target_repo, config.source_repo) == ("extra", "src")
    assert config.human_review
    assert not config.network


def test_its_srcinfo_follows_from_the_pkgbuild(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init(folder)

    monkeypatch.chdir(folder)
    assert run(["srcinfo", "--check", "hello-caur"], Session()) == ExitCode.OK


@pytest.mark.parametrize(("forge", "path"), PIPELINES)
def test_the_pipeline_of_the_forge_is_there(
    folder: Path, forge: str, path: str, capsys: Captured
) -> None:
    init(folder, "--forge", forge)

    assert "caur-ci on-schedule" in (folder / path).read_text()
    assert list(YAML().load_all((folder / path).read_text()))
    said = capsys.readouterr().out
    assert "REDIS_URL" in said
    assert "PACKAGE_REPOS=" in said


@pytest.mark.parametrize(("forge", "path"), PIPELINES)
def test_the_pipeline_without_a_server_asks_for_the_key_alone(
    folder: Path, forge: str, path: str, capsys: Captured
) -> None:
    init(folder, "--forge", forge, "--serverless")

    assert "caur-ci run" in (folder / path).read_text()
    config = load_repository_config((folder / ".ci/config").read_bytes()).config
    assert config.network is (forge == "forgejo")
    said = capsys.readouterr().out
    assert "GPG_PRIVATE_KEY" in said
    assert "REDIS_URL" not in said
    assert "PACKAGE_REPOS=" not in said


def test_without_a_server_and_without_a_forge_it_runs_here(folder: Path, capsys: Captured) -> None:
    init(folder, "--forge", "none", "--serverless", "--json")

    told = json.loads(capsys.readouterr().out)
    assert told["secrets"] == []
    assert any("caur-ci run on-schedule" in step for step in told["next"])
    assert not any("caur-ci on-commit" in step for step in told["next"])


def test_without_a_forge_and_without_an_example(folder: Path, capsys: Captured) -> None:
    assert init(folder, "--forge", "none", "--no-example", "--json") == ExitCode.OK

    told = json.loads(capsys.readouterr().out)
    assert told["written"] == [".ci/config", ".gitignore"]
    assert told["secrets"] == []
    assert any("every half an hour" in step for step in told["next"])


def test_the_forge_is_that_of_the_remote(folder: Path) -> None:
    git(folder.parent, "init", "--quiet", str(folder))
    git(folder, "remote", "add", "origin", "git@github.com:somebody/packages.git")

    init(folder)

    assert (folder / ".github/workflows/caur-ci.yml").is_file()


def test_nothing_is_overwritten(folder: Path, capsys: Captured) -> None:
    folder.mkdir()
    (folder / ".gitignore").write_text("mine\n")

    assert init(folder) == ExitCode.FAILED

    assert "there already: .gitignore" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == [".gitignore"]


@pytest.mark.parametrize("name", ["a b", "../x", "$(id)", "-x", ""])
def test_names_that_cannot_be(folder: Path, name: str) -> None:
    assert init(folder, f"--target-repo={name}") in {ExitCode.FAILED, ExitCode.OK}

    written = folder / ".ci/config"
    assert not written.exists() or "REPO_NAME=my-packages" in written.read_text()


def test_on_a_terminal_it_asks(folder: Path) -> None:
    """With a terminal of its own, as people have it."""
    answers = ["extra", "", "gitea", "github", "n", "y"]
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "caur_ci", "init", str(folder)]
    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    for answer in answers:
        shown += _until(terminal, b"]: ")
        os.write(terminal, f"{answer}\n".encode())
    shown += _until(terminal, b"")
    os.close(terminal)
    assert child.wait(timeout=60) == ExitCode.OK, shown.decode()

    assert b"Name of the pacman repository [my-packages]: " in shown
    config = load_repository_config((folder / ".ci/config").read_bytes()).config
    assert (config.target_repo, config.source_repo) == ("extra", "extra")
    assert not config.human_review
    assert (folder / ".github/workflows/caur-ci.yml").is_file()
    assert (folder / "hello-caur/PKGBUILD").is_file()


def _until(terminal: int, wanted: bytes) -> bytes:
    """Read what a program shows up to `wanted`, or to its end where that is empty."""
    shown = b""
    while not (wanted and shown.endswith(wanted)):
        try:
            part = os.read(terminal, 1024)
        except OSError:  # the program has ended
            break
        if not part:
            break
        shown += part
    return shown
