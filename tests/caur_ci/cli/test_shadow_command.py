"""`caur-ci shadow`, beside what the existing system does to a real repository."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld
from tests.support.git import Checkout, git
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("a", "b", "c", "d", "e")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScheduleWorld]:
    """Packages that are known, of which two have new versions."""
    with upstream(tmp_path / "upstream") as outside:
        made = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        made.begin(dict.fromkeys(NAMES, "1-1"), **{".ci__aur-state": f"{outside.now}\n"})
        outside.push({"a": "2-1", "b": "2-1"})
        monkeypatch.chdir(made.checkout.folder)
        yield made


def everything(world: ScheduleWorld) -> str:
    """Return all that a run could have changed."""
    folder = world.checkout.folder
    parts = (git(world.remote, "for-each-ref"), git(folder, "for-each-ref"))
    return "\n".join((*parts, git(folder, "status", "--porcelain", "--ignored")))


def shadow(*arguments: str) -> int:
    return run(["shadow", *arguments], Session())


def other_system(world: ScheduleWorld, tmp_path: Path) -> None:
    """Update `a` as we would, bump `c`, put `d` to review; let somebody change `e` meanwhile."""
    clone = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", "--branch=main", str(world.remote), str(clone))
    other = Checkout(clone, world.remote)
    other.commit("chore(update): a", {f"a/{path}": it for path, it in files_of("a", "2-1").items()})
    other.commit("chore(bump): c", {"c/.CI/config": "CI_PACKAGE_BUMP=1-1/1\n"})
    other.commit("fix(e): mine", {"e/x": "x"})
    other.schedule_here()
    other.commit("chore(update): d", {"d/x": "x"})
    git(clone, "push", "--quiet", "origin", "HEAD:update-d")


def test_where_the_two_differ_and_why(
    world: ScheduleWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, params = tmp_path / "plan.json", tmp_path / "params.txt"
    before = everything(world)
    assert shadow("plan", str(plan)) == ExitCode.OK
    assert everything(world) == before
    assert "on-schedule at" in capsys.readouterr().err
    other_system(world, tmp_path)
    params.write_text('declare -a PARAMS_SCHEDULE=([0]="schedule" [1]="a" [2]="c")\n')
    after = git(world.remote, "for-each-ref")

    code = shadow("compare", str(plan), "--schedule-params", str(params), "--json", "--exit-code")

    assert code == ExitCode.FAILED
    assert git(world.remote, "for-each-ref") == after
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert {it["package"]: (it["ours"], it["theirs"]) for it in found["differences"]} == {
        "b": ("update build to 2-1", "nothing"),
        "c": ("nothing", "bump build"),
        "d": ("nothing", "review"),
    }
    assert found["agreed"] == 1
    (b, c, d) = found["differences"]
    assert b["our_reason"].startswith("update: the AUR has version 2-1")
    assert "chore(bump): c; schedule-params.txt" in c["their_reason"]
    assert d["their_reason"] == "branch update-d"
    assert found["notes"] == ["changed by people meanwhile, and left out: e"]

    assert shadow("compare", str(plan)) == ExitCode.OK
    shown = capsys.readouterr()
    assert "without --schedule-params, builds are not compared" in shown.err
    assert "3 packages differ, 1 are treated alike" in shown.err
    assert "chore(bump): c" in shown.out.replace("\n", " ")


def test_pushed_commits_are_compared_by_what_is_asked_for(
    world: ScheduleWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, params = tmp_path / "plan.json", tmp_path / "params.txt"
    git(world.checkout.folder, "rm", "-rq", "b")
    world.checkout.commit("feat: c, without b", {"c/x": "x"})
    world.checkout.push()
    assert shadow("plan", str(plan)) == ExitCode.OK
    assert "on-commit at" in capsys.readouterr().err
    params.write_text(
        'declare -a PARAMS_SCHEDULE=([0]="schedule" [1]="c" [2]="d/9")\n'
        'declare -a PARAMS_AUTOREPOREMOVE=([0]="auto-repo-remove" [1]="a" [2]="c" [3]="d")\n'
    )

    assert shadow("compare", str(plan), "--schedule-params", str(params), "--json") == ExitCode.OK

    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert {it["package"]: (it["ours"], it["theirs"]) for it in found["differences"]} == {
        "d": ("nothing", "build by 9"),
        "e": ("nothing", "remove"),
    }
    assert found["agreed"] == 2


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), ("{}", "is no plan of caur-ci shadow")]
)
def test_a_plan_that_cannot_be_used_is_told(
    world: ScheduleWorld,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    words: str,
) -> None:
    plan = tmp_path / "plan.json"
    if content is not None:
        plan.write_text(content)

    assert shadow("compare", str(plan)) == ExitCode.FAILED
    assert words in capsys.readouterr().err
