"""`caur-ci queue groups`, `publish` and `abandon` against a real queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.queue_view import status_parts
from caur_ci.errors import ExitCode
from scheduler.job import FailureClass, Outcome
from tests.caur_ci.cli.test_queue_commands import Cli
from tests.support.queue import claim_all, claimed, job, submit

if TYPE_CHECKING:
    from scheduler.queue import Queue

NAME = "repo/x86_64/libfoo-1"


@pytest.fixture
def cli(redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(redis_url, capsys)


@pytest.fixture
def held(queue: Queue) -> Queue:
    """Return a queue with a group of which one is staged, one failed, and one waits for that."""
    group = {"group": "libfoo-1"}
    submit(queue, job("lib", **group), job("mid", "lib", **group), job("app", "mid", **group))
    queue.land(claimed(queue), "1-1")
    queue.stage(queue.claim_landed("runner"))
    queue.finish(claimed(queue), Outcome.FAILED, "exit code 4", failure=FailureClass.COMPILE)
    return queue


@pytest.mark.usefixtures("held")
class TestGroups:
    def test_they_are_listed_with_who_holds_them_up(self, cli: Cli) -> None:
        said = cli("groups")
        table, _, problems = said.partition("mid (compile) ")
        lines = {line.split()[0]: line for line in table.splitlines() if line.split()}
        assert "failed (compile)" in lines["mid"]
        assert "exit code 4" in lines["mid"]
        assert "staged" in lines["lib"]
        assert "held" in lines["app"]
        assert problems == f"holds up the rebuild group {NAME}, and with it app\n"

    def test_programs_are_told_the_same(self, cli: Cli) -> None:
        (group,) = cli.json("groups", "libfoo-1")
        assert (group["name"], group["publish"], group["total"]) == (NAME, "together", 3)
        assert group["held_up"] == {"repo/x86_64/mid": ["repo/x86_64/app"]}
        assert [member["state"] for member in group["staged"]] == ["staged"]

    def test_list_and_show_tell_of_them(self, cli: Cli) -> None:
        cli("list")
        assert "rebuild groups: 1; see `caur-ci queue groups`" in cli.err
        assert f"rebuild group: {NAME}" in cli("show", "lib")

    def test_status_counts_them(self, held: Queue) -> None:
        parts = map(str, status_parts(held.snapshot()))
        assert "Rebuild groups: 1 (caur-ci queue groups)" in parts

    def test_one_that_is_not_there_is_an_error(self, cli: Cli) -> None:
        cli("groups", "libfo-1", expect=ExitCode.FAILED)
        assert "there is no rebuild group 'libfo-1' that is open" in cli.err
        assert "libfoo-1" in cli.err


def test_no_groups(cli: Cli, queue: Queue) -> None:
    submit(queue, job("a"))
    assert cli("groups") == "no rebuild groups\n"
    assert cli.json("groups") == []


class TestWaysOut:
    def test_not_all_of_it_is_not_published_as_a_whole(self, held: Queue, cli: Cli) -> None:
        cli("publish", "libfoo-1", expect=ExitCode.FAILED)
        assert f"{NAME} waits for repo/x86_64/app, repo/x86_64/mid; nothing was done" in cli.err
        assert held.claim_group("runner") == []

    def test_what_is_built_is_published_and_the_rest_named(self, held: Queue, cli: Cli) -> None:
        said = cli("publish", NAME, "--partial")
        assert said.splitlines() == [
            f"{NAME} is to be published",
            "not in it, and on their own now: repo/x86_64/app, repo/x86_64/mid",
        ]
        assert [claim.spec.pkgbase for claim in held.claim_group("runner")] == ["lib"]

    def test_it_is_given_up(self, held: Queue, cli: Cli) -> None:
        change = cli.json("abandon", "libfoo-1")
        assert change["done"] is True
        assert sorted(change["members"]) == [f"repo/x86_64/{it}" for it in ("app", "lib", "mid")]
        assert held.groups() == ()
        assert claim_all(held) == []

    def test_a_retry_goes_on_in_it(self, held: Queue, cli: Cli) -> None:
        cli("retry", "mid")
        assert claimed(held).group == "libfoo-1"
