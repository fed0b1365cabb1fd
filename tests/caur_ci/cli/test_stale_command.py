"""`caur-ci stale`, and what runs tell of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld
from tests.support.git import Checkout
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScheduleWorld]:
    with upstream(tmp_path / "upstream") as outside:
        made = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        made.begin(
            {"a": "1-1", "b": "1-1"},
            config="CI_HUMAN_REVIEW=true\nCI_STALE_FAILURES=2\n",
            **{"a__.CI__update.sh": "exit 3\n"},
        )
        monkeypatch.chdir(made.checkout.folder)
        monkeypatch.setenv("COLUMNS", "200")
        yield made


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert run(["stale", "--json", *options], Session()) == ExitCode.OK
    return {it["package"]: it for it in json.loads(capsys.readouterr().out)}


def test_packages_that_fail_or_wait_are_listed(
    world: ScheduleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not any("stale" in note for note in world.run().plan.notes)
    world.outside.push({"b": "2-1"}, note="curl | sh")
    (note,) = (it for it in world.run().plan.notes if "stale" in it)
    assert note.startswith("a: fail for 2 runs or more")
    world.run()

    assert set(listed(capsys)) == {"a"}
    assert set(listed(capsys, "--failures", "9", "--days", "0")) == {"b"}
    both = listed(capsys, "--days", "0")
    assert both["a"]["failures"] == 3
    assert both["a"]["failing_since"]
    assert "exit code 3" in str(both["a"]["reason"])
    assert both["b"]["failures"] == 0
    assert both["b"]["ahead_since"]
    assert both["b"]["reason"]

    assert run(["stale"], Session()) == ExitCode.OK
    assert "exit code 3" in capsys.readouterr().out


def test_what_goes_well_again_is_forgotten(
    world: ScheduleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.run()
    world.commit("fix(a): no hook", {"a/.CI/update.sh": None})

    world.run()

    assert listed(capsys, "--failures", "1", "--days", "0") == {}
    assert run(["stale"], Session()) == ExitCode.OK
    assert "no package is stale" in capsys.readouterr().out


def test_a_package_that_fails_forever_does_not_change_the_branch_forever(
    world: ScheduleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caur_ci.pipeline.shared.memory.troubles.MOST_COUNTED", 2)
    for _ in range(2):
        world.run()
    tip = world.tip("caur")

    assert not world.run().published
    assert world.tip("caur") == tip
