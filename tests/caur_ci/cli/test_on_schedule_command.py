"""`caur-ci on-schedule` as a person or a pipeline meets it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

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


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScheduleWorld]:
    """A repository where `a` has a new version in the AUR, `t` has a trigger, `h` a bad hook."""
    with upstream(tmp_path / "upstream") as outside:
        made = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        files = {
            f"{name}__{path}": text for name in "ht" for path, text in files_of(name, "1-1").items()
        }
        made.begin(
            {"a": "1-1", "b": "1-1"},
            **files,
            **{
                "t__.CI__config": "CI_ON_TRIGGER=daily\n",
                "h__.CI__update.sh": "echo lost; exit 7\n",
            },
        )
        outside.push({"a": "2-1"})
        monkeypatch.chdir(made.checkout.folder)
        yield made


def on_schedule(*arguments: str) -> int:
    return run(["on-schedule", *arguments], Session())


def refs(world: ScheduleWorld) -> str:
    return git(world.remote, "for-each-ref")


def test_the_table_the_cause_and_the_code(
    world: ScheduleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert on_schedule() == ExitCode.PARTIAL

    shown = capsys.readouterr()
    lines = [re.split(r"\s{2,}", line) for line in shown.out.splitlines()]
    assert ["a", "update", "1-1 → 2-1"] in [line[:3] for line in lines]
    assert "error: h: .CI/update.sh ended with exit code 7; lost\n" in shown.err
    tip = world.tip()
    assert f"1 updated, 1 failed, 2 unchanged; published as {tip[:12]}\n" in shown.err
    assert world.asked() == [("a",)]


def test_what_the_repository_ignores_is_not_taken_from_hooks(
    world: ScheduleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = "echo x | tee new.tar.gz >new.patch\n"
    world.commit("feat: hook", {"h/.CI/update.sh": hook, ".gitignore": "*.tar.gz\n.ci/\n.state/\n"})

    assert on_schedule("--only", "h") == ExitCode.OK

    files = git(world.remote, "ls-tree", "--name-only", "main:h").splitlines()
    assert files == [".CI", ".SRCINFO", "PKGBUILD", "new.patch"]


def test_all_well_is_zero(world: ScheduleWorld) -> None:
    assert on_schedule("--only", "a") == ExitCode.OK
    assert world.asked() == [("a",)]


def test_a_dry_run_changes_nothing(
    world: ScheduleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    before = refs(world)

    assert on_schedule("--dry-run", "--only", "a") == ExitCode.OK

    shown = capsys.readouterr()
    assert "2-1" in shown.out
    assert "1 updated; dry run: nothing was written or pushed\n" in shown.err
    assert refs(world) == before
    assert git(world.checkout.folder, "status", "--porcelain", "--ignored") == ""


def test_programs_get_json(world: ScheduleWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert on_schedule("--json") == ExitCode.PARTIAL

    data = json.loads(capsys.readouterr().out)
    assert data["counts"] == {"update": 1, "failed": 1, "unchanged": 2}
    assert (data["published"], data["commit"]) == (True, world.tip())
    assert [entry["package"] for entry in data["decisions"]] == ["a", "b", "h", "t"]


def test_pages_get_markdown(world: ScheduleWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert on_schedule("--markdown", "--dry-run") == ExitCode.PARTIAL

    out = capsys.readouterr().out
    assert out.startswith("### on-schedule at `")
    assert "| `a` | update | `1-1 → 2-1` |" in out


def test_a_trigger_builds_its_packages_only(
    world: ScheduleWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.checkout.commit("not scheduled yet", {"x": "1"})  # the gate is closed
    monkeypatch.setenv("TRIGGER", "daily")

    assert on_schedule() == ExitCode.OK

    assert world.asked() == [("t",)]
    assert "1 built again; published\n" in capsys.readouterr().err


def test_an_empty_trigger_is_an_ordinary_run(
    world: ScheduleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGER", "")
    assert on_schedule() == ExitCode.PARTIAL
    assert world.asked() == [("a",)]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ({}, ExitCode.FAILED),
        ({"SKIP_ON_COMMIT_CHECK": "false"}, ExitCode.FAILED),
        ({"SKIP_ON_COMMIT_CHECK": "true"}, ExitCode.OK),
        ({"force": "--force"}, ExitCode.OK),
    ],
)
def test_the_gate_and_its_ways_around(
    world: ScheduleWorld,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    way: dict[str, str],
    expected: ExitCode,
) -> None:
    world.checkout.commit("more", {"x": "1"})
    for name, value in way.items():
        monkeypatch.setenv(name, value)
    options = [way["force"]] if "force" in way else []

    assert on_schedule("--dry-run", "--only", "a", *options) == expected

    if expected is ExitCode.FAILED:
        shown = capsys.readouterr().err
        assert "error: the tag `scheduled` points to" in shown
        assert "--force" in shown


@pytest.mark.parametrize(
    ("name", "value", "packages"),
    [
        ("CI_TEST_PACKAGE", "a", ["a"]),
        ("CI_TEST_PACKAGES", "a b", ["a", "b"]),
        ("PACKAGES", "t, a", ["a", "t"]),
        ("CI_TEST_PACKAGES", "b:a,b", ["a", "b"]),
        ("CI_TEST_PACKAGES", "", ["a", "b", "h", "t"]),
    ],
)
def test_trials_may_name_their_packages(
    world: ScheduleWorld,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    packages: list[str],
) -> None:
    monkeypatch.setenv(name, value)

    on_schedule("--dry-run", "--json")

    data = json.loads(capsys.readouterr().out)
    assert [entry["package"] for entry in data["decisions"]] == packages


def test_a_recording_is_replayed_to_the_same_plan(
    world: ScheduleWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = str(tmp_path / "kept")
    assert on_schedule("--record", kept, "--dry-run", "--json") == ExitCode.PARTIAL
    recorded = json.loads(capsys.readouterr().out)
    world.outside.push({"b": "9-1"})

    assert on_schedule("--replay", kept, "--json") == ExitCode.PARTIAL

    assert json.loads(capsys.readouterr().out) == recorded


@pytest.mark.parametrize("options", [("--json", "--markdown"), ("--record", "x", "--replay", "x")])
def test_options_that_exclude_each_other(
    world: ScheduleWorld, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert on_schedule(*options) == ExitCode.FAILED
    assert "say either" in capsys.readouterr().err


def test_github_gets_sections_and_a_page(
    world: ScheduleWorld,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))

    assert on_schedule() == ExitCode.PARTIAL

    out = capsys.readouterr().out
    assert "::group::Decisions (2)\n" in out
    assert "::group::What hooks printed (1)\nh:\n  lost\n::endgroup::\n" in out
    assert "| `h` | failed |" in page.read_text()


def test_why_answers_from_the_ledger(
    world: ScheduleWorld,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    on_schedule()
    capsys.readouterr()

    assert run(["why", "h", "--redis", redis_url], Session()) == ExitCode.OK

    assert "decided failed: .CI/update.sh ended with exit code 7; lost" in capsys.readouterr().out
