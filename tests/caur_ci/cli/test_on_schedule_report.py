"""What `caur-ci on-schedule` shows of a run: to people, to programs, in a pipeline's log."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli import on_schedule_report as schedule_report
from caur_ci.cli.folding import add_to_job_page
from caur_ci.cli.session import Session
from caur_ci.environment import Secrets
from caur_ci.pipeline.on_schedule.options import OnScheduleResult
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision, SchedulePlan

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "0123456789abcdef" * 2 + "01234567"
EVIL = "\x1b[31mred\n::error::x ##[group]y\rsection_start:1:z\r\x1b[0K [b]hunter22"


def update(package: str, **more: str) -> ScheduleDecision:
    return ScheduleDecision(
        package=package,
        action=ScheduleAction.UPDATE,
        reason="a new version",
        **more,  # type: ignore[arg-type]
    )


def failed(package: str, reason: str, output: str = "") -> ScheduleDecision:
    return ScheduleDecision(
        package=package, action=ScheduleAction.FAILED, reason=reason, output=output
    )


PLAN = SchedulePlan(
    head=HEAD,
    decisions=(
        update("pkg", before="1-1", after="2-1", output="fetched 2\n"),
        failed("a", "no answer"),
        failed("b", "no answer"),
        failed("c", EVIL, output=EVIL),
        ScheduleDecision(package="same", action=ScheduleAction.UNCHANGED, reason=""),
    ),
    warnings=(f"odd: {EVIL}",),
    notes=(f"noted: {EVIL}",),
)
RESULT = OnScheduleResult(plan=PLAN, published=True, commit="f" * 40)


@pytest.fixture
def session() -> Session:
    return Session(secrets=Secrets({"ACCESS_TOKEN": "hunter22"}))


def show(
    session: Session,
    capsys: pytest.CaptureFixture[str],
    *,
    forge: str = "",
    result: OnScheduleResult = RESULT,
) -> tuple[str, str]:
    safe = replace(result, plan=result.plan.redacted(session.secrets))
    schedule_report.print_report(session, safe, forge=forge, dry_run=False)
    shown = capsys.readouterr()
    return shown.out, shown.err


def columns(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


def test_decisions_are_a_table(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = show(session, capsys)

    lines = [columns(line) for line in out.splitlines()]
    assert lines[0] == ["package", "decision", "version", "reason"]
    assert ["pkg", "update", "1-1 → 2-1", "a new version"] in lines
    assert ["a", "failed", "no answer"] in lines
    assert not any(line[0] == "same" for line in lines)


def test_what_failed_is_named_with_its_cause(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    _, err = show(session, capsys)

    assert "error: a, b: no answer\n" in err
    assert "error: c: red" in err
    assert "1 updated, 3 failed, 1 unchanged; published as ffffffffffff\n" in err


def test_very_many_that_failed_alike_are_one_line(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = SchedulePlan(
        head=HEAD, decisions=tuple(failed(f"p{n:04d}", "out of reach") for n in range(2000))
    )
    out, err = show(session, capsys, result=OnScheduleResult(plan=plan))

    assert len(out.splitlines()) == 12
    assert err.count("error: ") == 1
    assert "p0009 and 1990 more: out of reach" in err


@pytest.mark.parametrize("forge", ["", "gitlab", "github"])
def test_strangers_text_acts_on_nothing(
    forge: str, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = "".join(show(session, capsys, forge=forge))

    ours = re.compile(r"\x1b\[0Ksection_(?:start|end):\d+:\w+(?:\[collapsed=true\])?\r\x1b\[0K")
    rest = ours.sub("", shown)
    assert "\x1b" not in rest
    assert "\r" not in rest
    assert "##[" not in rest
    commands = {line.lstrip() for line in rest.splitlines() if line.lstrip().startswith("::")}
    assert all(command.startswith(("::group::", "::endgroup::")) for command in commands)
    assert "[b]" in rest  # no markup of ours
    assert "hunter22" not in rest


def test_gitlab_folds(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = show(session, capsys, forge="gitlab")

    found = re.findall(r"\x1b\[0Ksection_(start|end):\d+:(\w+)(\[collapsed=true\])?\r\x1b\[0K", out)
    assert [(kind, name) for kind, name, _ in found] == [
        (kind, name) for name in ("decisions", "hooks", "warnings") for kind in ("start", "end")
    ]
    assert "\x1b[0KDecisions (4)\n" in out
    assert "pkg:\n  fetched 2\n" in out


def test_github_folds(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = show(session, capsys, forge="github")

    groups = [line for line in out.splitlines() if line.startswith("::")]
    assert groups == [
        line
        for title in ("Decisions (4)", "What hooks printed (2)", "Warnings (1)")
        for line in (f"::group::{title}", "::endgroup::")
    ]


def test_without_folding_only_failed_hooks_are_heard(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = show(session, capsys)

    assert "fetched 2" not in out
    assert "What hooks printed (1)\nc:\n  red\n" in out
    assert "warning: odd: red" in err


def test_programs_get_everything() -> None:
    data = json.loads(schedule_report.as_json(RESULT))

    assert (data["head"], data["published"], data["commit"]) == (HEAD, True, "f" * 40)
    assert [decision["package"] for decision in data["decisions"]] == ["a", "b", "c", "pkg", "same"]
    assert data["decisions"][3]["output"] == "fetched 2\n"


def test_the_page_of_a_github_job_gets_the_plan(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "summary"
    page.write_text("before\n")

    add_to_job_page(session, {"GITHUB_STEP_SUMMARY": str(page)}, PLAN.to_markdown())
    add_to_job_page(session, {}, "nowhere")
    add_to_job_page(session, {"GITHUB_STEP_SUMMARY": str(tmp_path)}, "a folder")

    text = page.read_text()
    assert text.startswith("before\n### on-schedule at `0123456789ab`\n")
    assert r"| `c` | failed |  | red \:\:error\:\:x \#\# \[group\]y" in text
    assert "the job's summary cannot be written" in capsys.readouterr().err
