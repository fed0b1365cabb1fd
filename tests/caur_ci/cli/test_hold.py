"""`caur-ci hold` and `unhold`, and what they mean to all others, with a real remote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.git import GitRepository
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from caur_ci.pipeline.shared.decision import PackageAction
from caur_ci.pipeline.shared.memory.branch import Memory
from tests.support.git import Checkout, git
from tests.support.queue import job, submit

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.pipeline.on_commit.plan import CommitPlan
    from scheduler.queue import Queue

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the checkout."""
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("COLUMNS", "200")


def caur(*arguments: str) -> int:
    return run(list(arguments), Session())


def memory(checkout: Checkout) -> Memory:
    remote = GitRepository.open(checkout.remote)
    return Memory.read(remote, remote.resolve("refs/heads/caur"))


def committed(checkout: Checkout, message: str = "fix", **files: str) -> CommitPlan:
    """Push a commit, and return what on-commit makes of it."""
    checkout.commit(message, {f"{name}/PKGBUILD": text for name, text in files.items()})
    checkout.push()
    return on_commit(OnCommitOptions(repo=checkout.folder)).plan


def built(plan: CommitPlan) -> dict[str, str]:
    return {package.pkgbase: package.reason for package in plan.request.packages}


class TestHolding:
    """What is on hold is on branch `caur`, with who and when."""

    def test_who_and_why_are_remembered_and_told(
        self, checkout: Checkout, capsys: Captured
    ) -> None:
        assert caur("hold", "a", "./b/", "--reason", "odd\nsources") == ExitCode.OK

        assert "a: on hold by Tester since 20" in capsys.readouterr().out
        held = memory(checkout).holds.packages
        assert held.keys() == {"a", "b"}
        assert (held["a"].by, held["a"].reason, held["a"].automatic) == (
            "Tester",
            "odd sources",
            False,
        )
        (entry,) = memory(checkout).ledger.about("a")
        assert (entry.run, entry.decision, entry.commit) == (
            "caur-ci hold",
            "hold",
            checkout.head(),
        )
        assert entry.reason == str(held["a"])

    def test_in_a_pipeline_it_is_the_account_behind_it(
        self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITLAB_CI", "true")
        monkeypatch.setenv("GITLAB_USER_LOGIN", "alice")

        assert caur("hold", "a") == ExitCode.OK

        assert memory(checkout).holds.packages["a"].by == "alice"

    def test_nobody_decides_anything(self, checkout: Checkout, private_home: Path) -> None:
        (private_home / ".gitconfig").write_text("")

        assert caur("hold", "a") == ExitCode.FAILED
        assert memory(checkout) == Memory()

    def test_an_unknown_package_is_an_error_for_all(
        self, checkout: Checkout, capsys: Captured
    ) -> None:
        assert caur("hold", "a", "c-gut") == ExitCode.FAILED

        assert "Did you mean c-git" in capsys.readouterr().err
        assert memory(checkout) == Memory()

    def test_a_second_word_without_a_reason_changes_nothing(self, checkout: Checkout) -> None:
        caur("hold", "a", "--reason", "odd")
        before = memory(checkout)

        assert caur("hold", "a") == ExitCode.OK
        assert memory(checkout) == before
        assert caur("hold", "a", "--reason", "even odder") == ExitCode.OK
        assert memory(checkout).holds.packages["a"].reason == "even odder"

    def test_a_job_that_waits_is_told(self, queue: Queue, redis_url: str, capsys: Captured) -> None:
        submit(queue, job("a"))

        assert caur("hold", "a", "--redis", redis_url) == ExitCode.OK

        assert "`caur-ci queue cancel repo/x86_64/a` ends it" in capsys.readouterr().err
        assert queue.snapshot().total_ready == 1

    def test_a_build_that_nobody_handed_over_is_left_out(self, checkout: Checkout) -> None:
        committed(checkout, a="2\n", b="2\n")

        caur("hold", "a")

        (request,) = memory(checkout).outbox.requests
        assert [package.pkgbase for package in request.packages] == ["b"]
        caur("hold", "b")
        assert memory(checkout).outbox.requests == ()
        assert memory(checkout).holds.packages["a"].left_out == "changed"

    def test_others_may_be_faster(self, checkout: Checkout) -> None:
        other = git(checkout.remote, "commit-tree", git(checkout.remote, "mktree"), "-m", "other")
        checkout.overtake("refs/heads/caur", other)

        assert caur("hold", "a") == ExitCode.OK

        assert checkout.was_overtaken
        assert memory(checkout).holds.packages.keys() == {"a"}


class TestLettingGo:
    """`unhold` ends it, and what was left out is built."""

    def test_only_what_is_on_hold(self, checkout: Checkout, capsys: Captured) -> None:
        caur("hold", "c-git")

        assert caur("unhold", "c-gut") == ExitCode.FAILED
        assert "Did you mean c-git" in capsys.readouterr().err
        assert caur("unhold", "c-git", "--json") == ExitCode.OK
        assert json.loads(capsys.readouterr().out)["c-git"]["by"] == "Tester"
        assert memory(checkout).holds.packages == {}
        assert memory(checkout).ledger.about("c-git")[0].decision == "unhold"

    def test_what_was_left_out_is_built_by_the_next_run(
        self, checkout: Checkout, capsys: Captured
    ) -> None:
        caur("hold", "a", "b")

        plan = committed(checkout, "fix [deploy b]", a="2\n", c="2\n")
        assert built(plan) == {"c": "changed"}
        actions = {it.package: it.action for it in plan.decisions}
        assert actions["a"] is actions["b"] is PackageAction.HELD
        assert plan.left_out == ()

        caur("unhold", "a", "b")
        assert (
            "a is built by the next on-schedule, or with the next change: changed"
            in capsys.readouterr().err
        )
        assert built(committed(checkout, c="3\n")) == {
            "a": "left out while it was on hold: changed",
            "b": f"left out while it was on hold: [deploy] in {plan.commits.head[:12]}",
            "c": "changed",
        }
        assert built(committed(checkout, c="4\n")) == {"c": "changed"}

    def test_of_a_package_that_is_gone_by_then_nothing_is_built(self, checkout: Checkout) -> None:
        caur("hold", "a")
        committed(checkout, a="2\n")
        caur("unhold", "a")

        checkout.commit("drop a", {"a/PKGBUILD": None, "a/.SRCINFO": None})
        checkout.push()
        plan = on_commit(OnCommitOptions(repo=checkout.folder)).plan

        assert built(plan) == {}
        assert plan.request.remove == ("a",)


class TestOthers:
    """Every command that builds or tells something knows it."""

    def test_why_and_status_tell_it(self, redis_url: str, capsys: Captured) -> None:
        caur("hold", "a", "--reason", "odd")
        capsys.readouterr()

        assert caur("why", "a", "--redis", redis_url) == ExitCode.OK
        told = capsys.readouterr().out
        assert "it is on hold by Tester since" in told
        assert "caur-ci hold at" in told
        caur("status", "--redis", redis_url)
        assert "On hold: 1" in capsys.readouterr().out
        caur("status", "--redis", redis_url, "--json")
        assert json.loads(capsys.readouterr().out)["on_hold"]["a"]["reason"] == "odd"

    def test_it_is_not_scheduled_by_name_unless_forced(
        self, queue: Queue, redis_url: str, capsys: Captured
    ) -> None:
        caur("hold", "a", "--reason", "odd")

        assert caur("schedule", "a", "b", "--redis", redis_url) == ExitCode.FAILED
        assert "a is on hold by Tester" in capsys.readouterr().err
        assert queue.snapshot().total_ready == 0
        assert caur("schedule", "b", "--redis", redis_url) == ExitCode.OK
        assert caur("schedule", "a", "--even-held", "--redis", redis_url) == ExitCode.OK
        assert queue.snapshot().total_ready == 2

    def test_where_nobody_can_tell_nothing_is_scheduled(
        self, checkout: Checkout, queue: Queue, redis_url: str, capsys: Captured
    ) -> None:
        git(checkout.folder, "remote", "set-url", "origin", "http://127.0.0.1:9/x.git")

        assert caur("schedule", "a", "--redis", redis_url) != ExitCode.OK
        assert "--even-held" in capsys.readouterr().err
        assert queue.snapshot().total_ready == 0
        assert caur("status", "--redis", redis_url) == ExitCode.OK
        assert "is not known" in capsys.readouterr().err

    def test_a_file_that_makes_no_sense_stops_everything(
        self, checkout: Checkout, capsys: Captured
    ) -> None:
        caur("hold", "a")
        blob = git(checkout.remote, "hash-object", "-w", "--stdin", stdin=b"{}")
        tree = git(checkout.remote, "mktree", stdin=f"100644 blob {blob}\tholds.json\n".encode())
        commit = git(checkout.remote, "commit-tree", tree, "-m", "broken")
        git(checkout.remote, "update-ref", "refs/heads/caur", commit)

        assert caur("on-commit") == ExitCode.FAILED
        assert "holds.json on branch caur cannot be read" in capsys.readouterr().err
