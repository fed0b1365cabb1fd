"""The command line as a person or a pipeline meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from caur_ci import __version__
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.environment import Secrets
from caur_ci.errors import ExitCode
from caur_ci.pipeline.on_commit import journey

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.git import Checkout

COMMANDS = (
    "on-commit", "on-schedule", "deptree", "schedule", "auto-repo-remove", "worker", "builder",
    "database", "status", "why", "demo", "shadow", "shadow plan", "shadow compare",
)  # fmt: skip


QUEUE_COMMANDS = (
    "list", "show", "quarantine", "cancel", "retry", "promote", "proceed", "pause", "resume",
    "drain", "reset", "backup", "restore", "import",
)  # fmt: skip


@pytest.mark.parametrize("command", [*COMMANDS, *(f"queue {name}" for name in QUEUE_COMMANDS)])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"], Session()) == ExitCode.OK
    assert "Usage: caur-ci" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["queue"]])
def test_without_a_command_the_commands_are_shown(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments, Session()) == ExitCode.USAGE
    shown = capsys.readouterr()
    assert "Usage: caur-ci" in shown.out
    assert shown.err == ""


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"], Session()) == ExitCode.OK
    assert capsys.readouterr().out == f"caur-ci {__version__}\n"


@pytest.mark.parametrize("arguments", [["--nonsense"], ["nonsense"], ["on-commit", "--nonsense"]])
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments, Session()) == ExitCode.USAGE
    assert "nonsense" in capsys.readouterr().err


def test_an_expected_error_is_a_line_and_a_hint(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.commit("x [deploy aa]")

    assert run(["on-commit", "--repo", str(checkout.folder)], Session()) == ExitCode.FAILED

    shown = capsys.readouterr().err
    assert "error: commit " in shown
    assert "there is no package 'aa'" in shown
    assert "hint: " in shown
    assert "Traceback" not in shown


def test_debug_shows_the_trace(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.commit("x [deploy aa]")

    run(["--debug", "on-commit", "--repo", str(checkout.folder)], Session())

    assert "Traceback" in capsys.readouterr().err


def test_a_bug_has_its_own_code_and_shows_no_secret(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_options: object) -> None:
        raise RuntimeError("broken with hunter2!!")

    monkeypatch.setattr(journey, "on_commit", broken)
    session = Session(secrets=Secrets({"ACCESS_TOKEN": "hunter2!!"}))

    code = run(["--debug", "on-commit", "--repo", str(checkout.folder)], session)

    assert code == ExitCode.BUG
    shown = capsys.readouterr().err
    assert "this is a bug" in shown
    assert "hunter2" not in shown


def test_json_is_all_there_is_on_standard_output(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.commit("x", {"a/PKGBUILD": "1\n", "odd name/x": "1"})

    run(["on-commit", "--json", "--repo", str(checkout.folder)], Session())

    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert document["request"]["packages"][0]["pkgbase"] == "a"
    assert document["published"] is True
    assert "odd name" in shown.err


def test_secrets_leave_the_environment_before_any_child_starts(checkout: Checkout) -> None:
    hook = checkout.folder / ".git/hooks/reference-transaction"
    seen = checkout.folder / ".git/seen"
    hook.write_text(f'#!/bin/sh\nenv >> "{seen}"\n')
    hook.chmod(0o755)
    checkout.commit("x", {"a/PKGBUILD": "1\n"})
    seen.unlink()
    secrets = dict.fromkeys(("ACCESS_TOKEN", "REDIS_PASSWORD", "CI_JOB_TOKEN"), "hunter2")

    done = subprocess.run(
        [sys.executable, "-m", "caur_ci", "on-commit", "--repo", checkout.folder],
        env={**os.environ, **secrets},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "GIT_CONFIG_NOSYSTEM" in seen.read_text()
    assert "hunter2" not in seen.read_text()


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m caur_ci --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""


def test_git_variables_of_a_hook_do_not_lead_astray(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.commit("x", {"a/PKGBUILD": "1\n"})
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent/index")

    assert run(["on-commit", "--repo", str(checkout.folder)], Session()) == ExitCode.OK


class TestSchedule:
    """Which server the hand-over goes to."""

    def test_a_runner_without_a_named_server_is_refused(
        self,
        checkout: Checkout,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("GITLAB_CI", "true")
        arguments = ["schedule", "--outbox", "--repo", str(checkout.folder)]
        assert run(arguments, Session()) == ExitCode.FAILED
        assert "no Redis server is named" in capsys.readouterr().err

    def test_a_configured_tunnel_is_not_replaced_by_a_server_of_our_own(
        self, checkout: Checkout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        checkout.commit("x", {".ci/config": "REPO_NAME=t\nREDIS_SSH_HOST=far.example\n"})
        arguments = ["schedule", "--outbox", "--repo", str(checkout.folder)]
        assert run(arguments, Session()) == ExitCode.TEMPORARY
        assert "far.example" in capsys.readouterr().err

    @pytest.mark.parametrize("arguments", [[], ["a", "--outbox"], ["--from", "x", "--outbox"]])
    def test_exactly_one_thing_is_handed_over(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["schedule", *arguments], Session()) == ExitCode.FAILED
        assert "say what to hand over" in capsys.readouterr().err

    def test_named_packages_need_an_order(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # Outside of a repository nobody knows it.
        names = ["--target-repo=t", "--source-repo=s", f"--repo={tmp_path}"]
        assert run(["schedule", *names, "a"], Session()) == ExitCode.FAILED
        assert "--without-order" in capsys.readouterr().err
