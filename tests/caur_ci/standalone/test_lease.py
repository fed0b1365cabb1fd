"""One run at a time: the lease on branch `caur` of a real remote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from caur_ci.git import Identity
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.memory.standalone_run import OnItsWay
from caur_ci.pipeline.shared.options import RunOptions
from caur_ci.standalone.lease import Lease
from tests.support.git import Checkout

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.standalone_run import StandaloneRun

IDENTITY = Identity("Tester", "tester@example.org")


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    checkout = Checkout.create(tmp_path / "source")
    checkout.commit("begin", {"a": "a"})
    checkout.push()
    return RunContext.open(RunOptions(repo=checkout.folder))


def take(context: RunContext, *, known: str = "", who: str = "somebody") -> Lease:
    return Lease.take(context, IDENTITY, known=known, who=who)


def suspend(memory: Memory, run: StandaloneRun) -> Memory:
    return replace(memory, run=run.suspended())


def test_nobody_else_begins_while_a_run_is_under_way(context: RunContext) -> None:
    first = take(context, who="the job at https://ci.example.org/1")

    with pytest.raises(TemporaryError, match=r"under way: the job at https://ci\.example\.org/1"):
        take(context, known="of-another-run")

    first.change(lambda memory, _: replace(memory, run=None))
    assert not take(context).goes_on


def test_a_killed_run_goes_on_where_its_work_is(context: RunContext) -> None:
    killed = take(context)

    again = take(context, known=killed.id)

    assert again.goes_on
    assert again.id == killed.id


def test_a_run_that_was_overtaken_changes_nothing(context: RunContext) -> None:
    way = OnItsWay(
        request_id="of-the-first", package="tool", arch="x86_64", files=("tool-1-1-any.pkg",)
    )
    first = take(context)
    first.change(lambda memory, run: replace(memory, run=run.publishing([way])))
    first.change(suspend)
    second = take(context)

    with pytest.raises(TemporaryError, match="another run has begun"):
        first.change(lambda memory, _: replace(memory, run=None))

    run = second.memory().run
    assert run is not None
    assert run.id == second.id != first.id
    # What the first was publishing is for the second one to look at.
    assert run.on_its_way == (way,)


def test_an_error_lets_others_go_on_at_once(context: RunContext) -> None:
    lease = take(context)

    with pytest.raises(KeyboardInterrupt), lease.kept():
        raise KeyboardInterrupt

    assert take(context).id != lease.id
