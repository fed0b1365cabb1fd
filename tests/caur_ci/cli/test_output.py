"""Nothing that strangers wrote is a command where it is shown, however it is laid out there."""

from __future__ import annotations

import io
import json
import re
import sys
from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from caur_ci.cli.on_schedule_report import as_json, print_report
from caur_ci.cli.output import DefusedStream
from caur_ci.cli.session import Session
from caur_ci.cli.tables import table
from caur_ci.git import CommitMessage
from caur_ci.pipeline.on_commit.deploy import read_deploys
from caur_ci.pipeline.on_schedule.options import OnScheduleResult
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision, SchedulePlan
from caur_ci.pipeline.shared.commit_messages import review_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

# What the runners of GitHub and GitLab look for, in the words of their sources.
_COMMAND = re.compile(r"^\s*::|##\[|section_(start|end):[0-9]+:", re.MULTILINE)
_OURS = re.compile(r"^(::(end)?group::.*|\x1b\[0Ksection_(start|end):.*)$", re.MULTILINE)
WORDS = st.sampled_from(
    [
        "::error::x",
        "::stop-commands::p",
        "##[add-mask]",
        "section_end:1:x\r\x1b[0K",
        "[deploy all]",
        "[deploy no-such]",
        "[deploy-skip 0123456]",
        "[skip ci]",
        "A" * 70,
        "A" * 119,
        ":",
        "#",
        "x",
        "\n",
        "\u2028",
        "\x1b[31m",
        "\u3000",
    ]
)
HOSTILE = st.one_of(
    st.lists(WORDS, max_size=8).map(" ".join), st.lists(WORDS, max_size=8).map("".join), st.text()
)


def _printed(write: Callable[[], None]) -> str:
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = output = io.StringIO()
    try:
        write()
    finally:
        sys.stdout, sys.stderr = before
    return output.getvalue()


def _commands(log: str) -> list[str]:
    return _COMMAND.findall(_OURS.sub("", log))


@given(pieces=st.lists(HOSTILE))
def test_no_piece_makes_a_command(pieces: list[str]) -> None:
    def write() -> None:
        stream = DefusedStream("stdout")
        for piece in pieces:
            stream.write(piece)

    written = _printed(write)
    assert not _commands(written)
    assert written.replace(" ", "") == "".join(pieces).replace(" ", "")


@given(cells=st.lists(HOSTILE, min_size=3, max_size=3), width=st.integers(8, 250))
def test_folding_makes_no_command(cells: list[str], width: int) -> None:
    def write() -> None:
        rows = table("", None, "a", "b", "c")
        rows.add(*cells)
        Console(width=width, file=cast("IO[str]", DefusedStream("stdout"))).print(rows)

    assert not _commands(_printed(write))


@given(text=HOSTILE, version=HOSTILE, forge=st.sampled_from(["", "github", "gitlab"]))
def test_a_report_of_on_schedule_holds_no_command(text: str, version: str, forge: str) -> None:
    decision = ScheduleDecision(
        package="a",
        action=ScheduleAction.FAILED,
        reason=text,
        before=version,
        after="1",
        link=text,
        remarks=(text,),
        output=text,
    )
    plan = SchedulePlan(head="0" * 40, decisions=(decision,), warnings=(text,), notes=(text,))
    result = OnScheduleResult(plan=plan, written=(), published=False, commit="")
    session = Session()

    assert not _commands(_printed(lambda: print_report(session, result, forge=forge, dry_run=True)))
    assert not _commands(_printed(lambda: session.print_plain(plan.to_markdown())))
    document = _printed(lambda: session.print_plain(as_json(result)))
    assert not _commands(document)
    assert json.loads(document)["warnings"] == [text]


@given(reasons=st.lists(HOSTILE, max_size=3), link=HOSTILE)
def test_a_message_for_review_asks_for_nothing(reasons: list[str], link: str) -> None:
    message = review_message("a", reasons, link)
    deploys = read_deploys([CommitMessage("0" * 40, message)], ["a", "b"], lambda *_: False)

    assert not deploys.packages
    assert not deploys.notes
    assert "[skip ci]" not in message
