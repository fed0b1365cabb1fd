"""`caur-ci on-schedule` in a pipeline of a forge where changes are reviewed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.environment import Secrets
from caur_ci.errors import ExitCode
from caur_ci.review.github import GitHubForge
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld
from tests.caur_ci.review.forges import KINDS, ForgeUnderTest, forge_of_kind
from tests.support.forges.model import Fault
from tests.support.forges.server import TOKEN
from tests.support.git import Checkout
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=KINDS)
def there(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ForgeUnderTest]:
    """A forge whose pipeline runs in a repository where `a` has a change for review.

    Nobody waits a second between two changes there, as GitHub asks for.
    """
    defaults = GitHubForge.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "pauses", (0.0, 0.0))
    with upstream(tmp_path / "upstream") as outside:
        world = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        world.begin({"a": "1-1"}, config="CI_HUMAN_REVIEW=true\n")
        outside.push({"a": "2-1"}, note="other")
        monkeypatch.chdir(world.checkout.folder)
        with forge_of_kind(request.param, world.remote) as forge:
            variables = {
                "gitlab": {"GITLAB_CI": "1", "CI_SERVER_URL": forge.url, "CI_PROJECT_ID": "7"},
                "github": {
                    "GITHUB_ACTIONS": "1",
                    "GITHUB_API_URL": forge.url,
                    "GITHUB_REPOSITORY": "owner/name",
                },
            }
            for name, value in variables[forge.kind].items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("CI_COMMIT_BRANCH", "main")
            monkeypatch.setenv("GITHUB_REF_NAME", "main")
            yield forge


def on_schedule(*arguments: str, token: str = TOKEN) -> int:
    secrets = Secrets({"ACCESS_TOKEN": token} if token else {})
    return run(["on-schedule", *arguments], Session(secrets=secrets))


def test_a_request_is_opened(there: ForgeUnderTest, capsys: pytest.CaptureFixture[str]) -> None:
    assert on_schedule("--json") == ExitCode.OK

    data = json.loads(capsys.readouterr().out)
    assert data["counts"] == {"review": 1}
    assert data["pages"].keys() == {"a"}
    assert data["problems"] == []
    assert len(there.forge.open()) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_what_the_forge_refuses_is_told_without_the_token(
    there: ForgeUnderTest, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    there.forge.faults.extend([Fault(status, body=f'{{"message": "{TOKEN}"}}')] * 20)

    assert on_schedule() == ExitCode.PARTIAL

    shown = capsys.readouterr()
    assert f"answered with status {status} (***)" in shown.err
    assert "1 put to review; published" in shown.err
    assert TOKEN not in shown.out + shown.err
    there.forge.faults.clear()
    assert on_schedule() == ExitCode.OK
    assert len(there.forge.open()) == 1


def test_without_a_token_changes_are_held(
    there: ForgeUnderTest, capsys: pytest.CaptureFixture[str]
) -> None:
    assert on_schedule(token="") == ExitCode.OK

    shown = capsys.readouterr()
    assert "request can be opened" in shown.err
    assert "1 held" in shown.err
    assert there.forge.calls == []
