"""What shells are told, in the way in which they ask."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.support.git import srcinfo
from tests.support.queue import worker

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.queue import Queue


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Return a working tree, one folder of which has a pkgbase of another name."""
    (tmp_path / ".git").mkdir()
    for folder, pkgbase in (("tool", "tool"), ("tool-extra", "extra"), ("other", "other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".SRCINFO").write_text(srcinfo(pkgbase))
    (tmp_path / "toadstool").mkdir()
    return tmp_path


class Asked:
    """What a shell is told about the last word of a line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, line: str, shell: str = "bash") -> list[str]:
        words = line.split(" ")
        asked = {
            "_CAUR_CI_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
        with self._monkeypatch.context() as environ:
            for name, value in asked.items():
                environ.setenv(name, value)
            assert run([], Session()) == ExitCode.OK
        told = self._capsys.readouterr()
        assert told.err == ""
        return told.out.split()


@pytest.fixture
def ask(world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    monkeypatch.chdir(world)
    return Asked(monkeypatch, capsys)


@pytest.mark.parametrize(
    "command",
    ["deptree", "why", "logs", "schedule", "srcinfo", "queue show", "queue cancel", "queue retry",
     "queue promote", "queue proceed", "on-schedule --only", "explain", "build"],
)  # fmt: skip
def test_packages(ask: Asked, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    # The server is out of reach: nobody asks it.
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    assert ask(f"caur-ci {command} to") == ["toadstool", "tool", "tool-extra"]
    assert ask(f"caur-ci {command} ex") == ["extra"]


def test_packages_of_another_working_tree(
    ask: Asked,
    world: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert ask("caur-ci deptree to") == []
    assert ask(f"caur-ci deptree --repo {world} oth") == ["other"]


def test_several_shells_get_the_same(ask: Asked) -> None:
    assert "tool-extra" in "".join(ask("caur-ci why tool-", "zsh"))
    assert ask("caur-ci why tool-", "fish") == ["tool-extra"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("queue list --state re", ["ready", "recent"]),
        ("deptree --format m", ["mermaid"]),
        ("schedule --on-failure ", ["proceed", "hold"]),
        ("worker --executor c", ["container"]),
        ("queue pro", ["promote", "proceed"]),
    ],
)
def test_enumerations_and_commands(ask: Asked, line: str, expected: list[str]) -> None:
    assert ask(f"caur-ci {line}") == expected


def test_workers(ask: Asked, queue: Queue, redis_url: str) -> None:
    queue.claim(worker("builder-1"))
    assert "builder-1" in ask(f"caur-ci queue drain --redis {redis_url} b")
    assert ask(f"caur-ci queue drain --redis {redis_url} x") == []


def test_no_server_is_started_for_it(ask: Asked, private_home: Path) -> None:
    assert ask("caur-ci queue drain ") == []
    assert not (private_home / "state").exists()


def test_a_server_that_does_not_answer_is_given_up(ask: Asked) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        assert ask(f"caur-ci queue drain --redis {url} ") == []


def test_in_bash(world: Path) -> None:
    (world / "bin").mkdir()
    command = world / "bin" / "caur-ci"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m caur_ci "$@"\n')
    command.chmod(0o755)
    script = """
    source <(_CAUR_CI_COMPLETE=source_bash caur-ci)
    complete -p caur-ci
    COMP_WORDS=(caur-ci deptree tool) COMP_CWORD=2
    _caur_ci_completion caur-ci deptree tool
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        [shutil.which("bash") or "bash", "--norc", "-c", script],
        cwd=world,
        env={**os.environ, "PATH": f"{world / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    complete, *words = done.stdout.splitlines()
    assert complete.startswith("complete -o default -F _caur_ci_completion caur-ci"), done.stderr
    assert words == ["tool", "tool-extra"]
