"""`caur-ci comments`, as pipelines call it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.environment import Secrets
from caur_ci.errors import ExitCode
from tests.caur_ci.review.forges import ForgeUnderTest, forge_of_kind
from tests.support.forges.model import Fault
from tests.support.forges.server import TOKEN
from tests.support.git import Checkout, srcinfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForgeUnderTest]:
    """A forge whose pipeline runs in a repository with the package `a`."""
    checkout = Checkout.create(tmp_path / "world")
    files: dict[str, str | bytes | None] = {
        ".ci/config": "REPO_NAME=repo\n",
        "a/PKGBUILD": "pkgname=a",
        "a/.SRCINFO": srcinfo("a"),
    }
    checkout.commit("feat: packages", files)
    checkout.schedule_here()
    monkeypatch.chdir(checkout.folder)
    with forge_of_kind("gitlab") as forge:
        forge.forge.person("alice", 30)
        variables = {
            "GITLAB_CI": "1",
            "CI_SERVER_URL": forge.url,
            "CI_PROJECT_ID": "7",
            "CI_COMMIT_BRANCH": "main",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield forge


def comments(*arguments: str, token: str = TOKEN) -> int:
    secrets = Secrets({"ACCESS_TOKEN": token} if token else {})
    return run(["comments", *arguments], Session(secrets=secrets))


def test_what_was_asked_for_is_shown(there: ForgeUnderTest, capsys: Captured) -> None:
    assert comments() == ExitCode.OK
    there.forge.remark("alice", f"/caur hold a: {TOKEN}\n/caur why b")
    capsys.readouterr()

    assert comments("--dry-run") == ExitCode.OK
    trial = capsys.readouterr()
    assert "dry run" in trial.err
    assert comments("--json") == ExitCode.OK
    shown = capsys.readouterr()

    assert trial.out.splitlines()[0] == "alice in issue 1:"
    assert "hold a: done (it is on hold by alice since" in trial.out
    (found,) = json.loads(shown.out)["comments"]
    assert found["place"] == {"kind": "issue", "number": 1, "internally": False}
    assert [it["words"] for it in found["told"]] == ["done", "not done"]
    assert TOKEN not in trial.out + shown.out
    assert comments() == ExitCode.OK
    assert capsys.readouterr().out == "nobody asked for anything\n"


def test_the_exit_code_tells_what_is_left(there: ForgeUnderTest, capsys: Captured) -> None:
    comments()
    there.forge.remark("alice", "/caur hold a")
    there.forge.faults.append(Fault(404, where="/notes"))
    assert comments() == ExitCode.PARTIAL
    assert "cannot be answered" in capsys.readouterr().err

    there.forge.faults.append(Fault(429))
    there.forge.faults[-1].headers["Retry-After"] = "900"
    assert comments() == ExitCode.TEMPORARY
    there.forge.faults.append(Fault(403))
    assert comments() == ExitCode.FAILED


def test_without_a_token_nothing_is_read(there: ForgeUnderTest, capsys: Captured) -> None:
    assert comments(token="") == ExitCode.OK
    assert "comments are not read: " in capsys.readouterr().err
    assert there.forge.calls == []
