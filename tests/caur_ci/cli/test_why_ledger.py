"""What `caur-ci why` tells out of the ledger, in a repository of PKGBUILD folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from tests.support.git import Checkout, git, srcinfo
from tests.support.queue import job, submit

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from scheduler.queue import Queue


def test_it_tells_what_was_decided(
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkout = Checkout.create(tmp_path / "source")
    checkout.commit("init", {"a/.SRCINFO": srcinfo("a"), "a/PKGBUILD": "1\n"})
    checkout.schedule_here()
    checkout.commit("fix(a): more", {"a/PKGBUILD": "2\n"})
    on_commit(OnCommitOptions(repo=checkout.folder))
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("COLUMNS", "200")

    assert run(["why", "a", "--redis", redis_url], Session()) == ExitCode.OK
    told = capsys.readouterr().out
    assert f"on-commit at {checkout.head()[:12]} decided build: changed" in told

    run(["why", "target/a", "--redis", redis_url, "--json"], Session())
    (decision,) = json.loads(capsys.readouterr().out)["decisions"]
    assert (decision["package"], decision["reason"]) == ("a", "changed")

    assert run(["why", "b", "--redis", redis_url], Session()) == ExitCode.FAILED


def test_a_ledger_out_of_reach_is_a_warning(
    queue: Queue,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkout = Checkout.create(tmp_path / "source")
    git(checkout.folder, "remote", "set-url", "origin", "http://127.0.0.1:9/x.git")
    monkeypatch.chdir(checkout.folder)
    submit(queue, job("a"))

    assert run(["why", "a", "--redis", redis_url], Session()) == ExitCode.OK
    captured = capsys.readouterr()
    assert "repo/x86_64/a" in captured.out
    assert "the ledger on branch caur cannot be read" in captured.err
