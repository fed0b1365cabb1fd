"""Subversion, Mercurial and Bazaar servers, asked through their own tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.update.vcs.entries import Place
from caur_ci.update.vcs.tip import TipError, TipTrouble
from caur_ci.update.vcs.tools import tip_by_tool
from tests.support.redis_server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a tool would say, where it is not the tool that is tried.
_STAND_IN = """#!/bin/sh
printf '%s\\n' "$*" "$HOME" "$ACCESS_TOKEN" >"{log}"
cat "{folder}/says"
cat "{folder}/complains" >&2
exit "$(cat "{folder}/code")"
"""


class StandIn:
    """A program that notes its arguments, and says what it is told to."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._log = folder / "log"
        program = folder / "bin" / name
        program.parent.mkdir()
        program.write_text(_STAND_IN.format(log=self._log, folder=folder))
        program.chmod(0o755)
        self.answers()

    def answers(self, says: str = "", complains: str = "", code: int = 0) -> None:
        for name, text in (("says", says), ("complains", complains), ("code", str(code))):
            (self._folder / name).write_text(text)

    @property
    def seen(self) -> list[str]:
        return self._log.read_text().splitlines()


@pytest.fixture(params=["svn", "hg", "brz", "bzr"])
def tool(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[StandIn, Place]:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("ACCESS_TOKEN", "secret")
    real = shutil.which
    monkeypatch.setattr("shutil.which", lambda name: real(name) if name == request.param else None)
    kind = "bzr" if request.param == "brz" else request.param
    return StandIn(tmp_path, request.param), Place(kind, "https://me:pw@h.org/a")


def trouble(place: Place) -> tuple[TipTrouble, str]:
    with pytest.raises(TipError) as caught:
        tip_by_tool(place)
    return caught.value.problem.trouble, caught.value.problem.reason


def test_the_newest_revision_is_asked_for(tool: tuple[StandIn, Place]) -> None:
    program, place = tool
    program.answers("123456789012\n")

    assert tip_by_tool(place).commit == "123456789012"
    arguments, home, token = program.seen
    assert "-- https://me:pw@h.org/a" in arguments
    assert home != os.environ.get("HOME")
    assert not Path(home).exists()
    assert not token


@pytest.mark.parametrize("said", ["", "usage: x", "-1", "12\n13", "z" * 40])
def test_what_is_no_revision_is_none(tool: tuple[StandIn, Place], said: str) -> None:
    program, place = tool
    program.answers(said)

    assert trouble(place)[0] is TipTrouble.UNUSABLE


def test_what_a_tool_says_is_told_without_passwords(tool: tuple[StandIn, Place]) -> None:
    program, place = tool
    program.answers(complains="tries\nabort: https://me:pw@h.org/a is \x1b[31mbroken\n", code=1)

    kind, reason = trouble(place)

    assert kind is TipTrouble.UNUSABLE
    assert reason == f"{place}: abort: https://h.org/a is broken"


def test_what_is_not_there_is_absent(tool: tuple[StandIn, Place]) -> None:
    program, place = tool
    words = {"svn": "svn: E170000: URL non-existent", "hg": "abort: HTTP Error 404: Not found"}
    program.answers(complains=words.get(place.tool, "brz: ERROR: Not a branch"), code=1)

    assert trouble(place)[0] is TipTrouble.ABSENT


@contextmanager
def serving(*command: str | Path, port: int) -> Iterator[None]:
    """Run a server until the block ends, once it listens."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            listening = f":{port:04X} 00000000:0000 0A"
            for _ in range(600):
                tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
                if any(listening in table.read_text() for table in tables if table.exists()):
                    break
                time.sleep(0.05)
            yield
        finally:
            server.kill()


def real(*programs: str) -> None:
    missing = [name for name in programs if not shutil.which(name)]
    if missing:  # few machines have them, and the pipelines do not need them
        pytest.skip(f"not installed: {', '.join(missing)}")


def test_a_real_mercurial_server(tmp_path: Path) -> None:
    real("hg")
    hg = ["hg", "--cwd", str(tmp_path), "--config", "ui.username=x"]
    subprocess.run([*hg, "init"], check=True)
    ids = []
    for branch in ("default", "stable"):
        (tmp_path / "file").write_text(branch)
        subprocess.run([*hg, "branch", "-q", "-f", branch], check=True)
        subprocess.run([*hg, "commit", "-qAm", branch], check=True)
        ids.append(
            subprocess.run(
                [*hg, "log", "-r", ".", "-T", "{node}"], check=True, capture_output=True
            ).stdout.decode()
        )
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with serving("hg", "serve", "-R", tmp_path, "-a", "127.0.0.1", "-p", str(port), port=port):
        assert tip_by_tool(Place("hg", url)).commit == ids[1][:12]
        assert tip_by_tool(Place("hg", url, "default")).commit == ids[0][:12]
        assert trouble(Place("hg", url, "none"))[0] is TipTrouble.ABSENT
        assert trouble(Place("hg", f"{url}none"))[0] is TipTrouble.ABSENT


def test_a_real_subversion_server(tmp_path: Path) -> None:
    real("svn", "svnadmin", "svnserve")
    subprocess.run(["svnadmin", "create", tmp_path / "repo"], check=True)
    local = (tmp_path / "repo").as_uri()
    for folder in ("trunk", "other@1"):
        subprocess.run(["svn", "mkdir", "-qm", "x", f"{local}/{folder}@"], check=True)
    port = free_port()
    server = ("svnserve", "-d", "--foreground", "--listen-host=127.0.0.1", f"--root={tmp_path}")
    url = f"svn://127.0.0.1:{port}/repo"
    with serving(*server, f"--listen-port={port}", port=port):
        assert tip_by_tool(Place("svn", f"{url}/trunk")).commit == "1"
        assert tip_by_tool(Place("svn", f"{url}/other@1")).commit == "2"
        assert trouble(Place("svn", f"{url}/none"))[0] is TipTrouble.ABSENT


def test_a_real_bazaar_server(tmp_path: Path) -> None:
    real("brz")
    branch = tmp_path / "a"
    subprocess.run(["brz", "init", "-q", branch], check=True)
    for number in "12":
        (branch / number).write_text(number)
        subprocess.run(["brz", "add", "-q"], cwd=branch, check=True)
        subprocess.run(["brz", "whoami", "--branch", "x <x@example.org>"], cwd=branch, check=True)
        subprocess.run(["brz", "commit", "-qm", "x"], cwd=branch, check=True)
    port = free_port()
    url = f"bzr://127.0.0.1:{port}/"
    server = ("brz", "serve", "--listen=127.0.0.1", f"--port={port}", f"--directory={tmp_path}")
    with serving(*server, port=port):
        assert tip_by_tool(Place("bzr", f"{url}a")).commit == "2"
        assert trouble(Place("bzr", f"{url}none"))[0] is TipTrouble.ABSENT
