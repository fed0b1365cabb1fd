"""`caur-ci queue …` against a real queue."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.job import JobState, OnFailure, Outcome, Usage
from scheduler.queue import Backoff, BuildNotes, DrainedError, Queue
from tests.support.queue import build_order, claimed, eventually, job, submit, worker

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis


class Cli:
    """Runs `caur-ci queue` and keeps what it said."""

    def __init__(self, redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._redis_url = redis_url
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str, expect: ExitCode = ExitCode.OK) -> str:
        code = run(["queue", *arguments, "--redis", self._redis_url], Session())
        captured = self._capsys.readouterr()
        self.out, self.err = captured.out, captured.err
        assert code == expect, self.out + self.err
        return self.out

    def json(self, *arguments: str, expect: ExitCode = ExitCode.OK) -> Any:  # noqa: ANN401
        return json.loads(self(*arguments, "--json", expect=expect))


@pytest.fixture
def cli(redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(redis_url, capsys)


@pytest.fixture
def quarantined(redis: Redis) -> Queue:
    """One job in quarantine, as its worker was lost; another one that waits for nothing."""
    queue = Queue(redis, lease=0.01, backoff=Backoff(first=0.0, losses=1))
    submit(queue, job("fatal"))
    claimed(queue)
    eventually(lambda: bool(queue.reap()))
    submit(queue, job("fine"))
    return queue


class TestList:
    """What is in the queue."""

    def test_it_names_each_job_with_its_state_and_its_reason(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("lib"), job("app", "lib"))
        claimed(queue, worker("bigbox"))
        lines = {line.split()[1]: line for line in cli("list").splitlines()}
        assert "building" in lines["repo/x86_64/lib"]
        assert "bigbox-" in lines["repo/x86_64/lib"]
        assert "waits for repo/x86_64/lib" in lines["repo/x86_64/app"]

    def test_states_can_be_chosen(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("bad"), job("lib"), job("app", "lib"))
        queue.finish(claimed(queue), Outcome.FAILED, "exit code 4")
        chosen = cli.json("list", "--state", "recent", "--state", "waiting")
        assert [view["identity"] for view in chosen] == ["repo/x86_64/bad", "repo/x86_64/app"]
        assert [view["outcome"] for view in chosen] == ["FAILED", None]
        assert "bad" not in cli("list")

    def test_what_is_left_out_is_counted(self, queue: Queue, cli: Cli) -> None:
        submit(queue, *(job(f"package-{number}") for number in range(5)))
        assert len(cli.json("list", "--limit", "2")) == 2
        assert "3 more are not shown" in cli.err

    @pytest.mark.usefixtures("queue")
    def test_an_empty_queue(self, cli: Cli) -> None:
        assert cli("list") == "no jobs\n"
        assert cli.json("list") == []


class TestShow:
    """All about a job."""

    def test_a_package_is_found_by_each_of_its_names(self, queue: Queue, cli: Cli) -> None:
        (job_id,) = submit(queue, job("tool++", "lib", reason="changed")).jobs
        for name in ("tool++", "repo/tool++", "repo/x86_64/tool++", str(job_id)):
            out = cli("show", name)
            assert f"repo/x86_64/tool++ (job {job_id}): ready" in out
            assert "depends on: lib" in out
            assert "asked for by: changed" in out

    def test_for_programs_it_is_complete(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("tool"))
        (shown,) = cli.json("show", "tool")
        assert shown["job"]["state"] == "ready"
        assert shown["spec"]["source_repo"] == "source"
        assert shown["spec"]["on_failure"] == "proceed"

    def test_an_unknown_name_leads_to_those_like_it(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("plumbline-git"), job("other"))
        cli("show", "plumbline", expect=ExitCode.FAILED)
        assert "plumbline-git" in cli.err
        cli("show", "repo/othr", "plumbline-git", expect=ExitCode.PARTIAL)
        assert "repo/other" in cli.err
        assert "plumbline-git (job" in cli.out

    def test_a_name_in_several_repositories_has_to_be_said_in_full(
        self, queue: Queue, cli: Cli
    ) -> None:
        submit(queue, job("tool"), job("tool", target_repo="testing"))
        cli("show", "tool", expect=ExitCode.FAILED)
        assert "repo/x86_64/tool" in cli.err
        assert "testing/x86_64/tool" in cli.err
        assert "testing/x86_64/tool" in cli("show", "testing/tool")


class TestChanging:
    """Commands about single packages."""

    def test_canceled_packages_are_gone_and_running_ones_asked(
        self, queue: Queue, cli: Cli
    ) -> None:
        submit(queue, job("running"), job("pending"), job("stays"))
        running = claimed(queue)
        out = cli("cancel", "running", "pending", "--reason", "not today")
        assert "repo/x86_64/running (job" in out
        assert queue.renew(running).cancel
        assert [view["identity"] for view in cli.json("list", "--state", "ready")] == [
            "repo/x86_64/stays"
        ]
        assert "not today" in cli("show", "pending")

    def test_some_done_is_three_and_none_is_one(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("tool"))
        cli("promote", "tool", "toll", expect=ExitCode.PARTIAL)
        assert "repo/x86_64/tool (job" in cli.out
        assert "toll. Did you mean tool?" in cli.err
        answers = cli.json("cancel", "nothing", expect=ExitCode.FAILED)
        assert [(each["target"], each["done"]) for each in answers] == [("nothing", False)]

    def test_promoted_packages_go_first_with_what_they_need(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("a"), job("b"), job("lib"), job("app", "lib"))
        cli("promote", "app")
        assert build_order(queue) == ["lib", "app", "a", "b"]

    def test_a_failed_package_is_built_again(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("tool"))
        queue.finish(claimed(queue), Outcome.FAILED)
        (answer,) = cli.json("retry", "tool")
        assert answer["done"]
        assert claimed(queue).job_id == answer["job_id"]

    def test_a_held_package_can_be_let_go(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("lib"), job("app", "lib", on_failure=OnFailure.HOLD))
        queue.finish(claimed(queue), Outcome.FAILED)
        assert queue.claim(worker()) is None
        (held,) = cli.json("list", "--state", "held")
        assert held["held_by"] == ["repo/x86_64/lib"]
        assert "held" in cli("list")
        cli("proceed", "app")
        assert claimed(queue).spec.pkgbase == "app"

    def test_a_package_that_is_not_held_need_not_be_let_go(self, queue: Queue, cli: Cli) -> None:
        submit(queue, job("app"))
        cli("proceed", "app", expect=ExitCode.FAILED)
        assert "repo/x86_64/app: " in cli.err


class TestQuarantine:
    """What took its workers down."""

    @pytest.mark.usefixtures("quarantined")
    def test_it_is_listed_with_its_reason(self, cli: Cli) -> None:
        (held,) = cli.json("quarantine")
        assert held["identity"] == "repo/x86_64/fatal"
        assert held["reason"]
        assert "quarantined" in cli("quarantine")
        assert "fatal" in cli("list")

    def test_it_is_tried_again_by_command(self, quarantined: Queue, cli: Cli) -> None:
        cli("retry", "fatal")
        assert cli.json("quarantine") == []
        assert build_order(quarantined) == ["fine", "fatal"]

    @pytest.mark.usefixtures("quarantined")
    def test_or_dismissed(self, cli: Cli) -> None:
        cli("cancel", "fatal")
        assert cli("quarantine") == "no jobs\n"


class TestWhole:
    """Commands about all of it."""

    def test_a_paused_queue_hands_nothing_out_and_says_so(
        self, queue: Queue, redis_url: str, cli: Cli, capsys: pytest.CaptureFixture[str]
    ) -> None:
        submit(queue, job("tool"))
        assert cli.json("pause", "--reason", "disk full") == {"paused": True, "changed": True}
        assert "paused already" in cli("pause")
        assert queue.claim(worker()) is None
        run(["status", "--redis", redis_url], Session())
        assert "disk full" in capsys.readouterr().out
        assert "goes on" in cli("resume")
        assert cli.json("resume") == {"paused": False, "changed": False}
        assert claimed(queue).spec.pkgbase == "tool"

    def test_a_drained_worker_gets_nothing_more(self, queue: Queue, cli: Cli) -> None:
        first, second = worker("one"), worker("two")
        assert queue.claim(first) is None
        assert queue.claim(second) is None
        assert first.id in cli("drain", "one")
        with pytest.raises(DrainedError):
            queue.claim(first)
        assert queue.claim(second) is None

    def test_drain_can_be_undone(self, queue: Queue, cli: Cli) -> None:
        me = worker("one")
        queue.claim(me)
        assert cli.json("drain", "--all")["workers"] == [me.id]
        assert cli.json("drain", "--all", "--undo")["workers"] == [me.id]
        assert queue.claim(me) is None

    def test_unknown_workers_are_named(self, queue: Queue, cli: Cli) -> None:
        queue.claim(worker("one"))
        cli("drain", "one", "two", expect=ExitCode.PARTIAL)
        assert "there is no worker two" in cli.err
        cli("drain", "two", expect=ExitCode.FAILED)
        cli("drain", expect=ExitCode.FAILED)
        assert "say which workers" in cli.err

    def test_reset_is_not_done_without_being_asked(
        self, queue: Queue, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submit(queue, job("tool"))
        with open(os.devnull) as nobody:  # noqa: PTH123 - a device
            monkeypatch.setattr(sys, "stdin", nobody)
            cli("reset", expect=ExitCode.FAILED)
        assert "--yes" in cli.err
        assert queue.snapshot().total_ready == 1
        assert cli.json("reset", "--yes") == {"jobs": 1}
        assert queue.snapshot().total_ready == 0

    @pytest.mark.parametrize(
        ("answer", "code", "left"), [("y", ExitCode.OK, 0), ("n", ExitCode.FAILED, 1)]
    )
    def test_reset_asks(
        self, queue: Queue, redis_url: str, answer: str, code: ExitCode, left: int
    ) -> None:
        submit(queue, job("tool"))
        ours, theirs = pty.openpty()
        command = [sys.executable, "-P", "-m", "caur_ci", "queue", "reset", "--redis", redis_url]
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run(
            command, stdin=theirs, capture_output=True, env=os.environ, check=False
        )
        os.close(ours)
        os.close(theirs)
        assert done.returncode == code, done.stderr
        assert b"1 that wait" in done.stderr
        assert queue.snapshot().total_ready == left


class TestCopies:
    """Backup and restore."""

    def test_a_queue_comes_back_as_it_was(self, queue: Queue, cli: Cli, tmp_path: Path) -> None:
        submit(queue, job("running"), job("lib"), job("app", "lib"), job("bad"))
        queue.finish(claimed(queue), Outcome.SUCCESS)
        claimed(queue)
        file = str(tmp_path / "queue.jsonl")
        assert cli.json("backup", file)["documents"] > 3
        assert list(tmp_path.iterdir()) == [tmp_path / "queue.jsonl"]
        cli("restore", file, expect=ExitCode.FAILED)  # it is not empty
        cli("reset", "--yes")
        assert cli.json("restore", file)["jobs"] == 3
        assert build_order(queue) == ["lib", "app", "bad"]

    def test_it_can_go_through_a_pipe(self, queue: Queue, cli: Cli, redis_url: str) -> None:
        submit(queue, job("tool"))
        written = cli("backup")
        assert all(isinstance(json.loads(line), dict) for line in written.splitlines())
        queue.reset()
        done = subprocess.run(
            [*(sys.executable, "-P", "-m", "caur_ci"), "queue", "restore", "-"],
            input=written.encode(),
            env={**os.environ, "REDIS_URL": redis_url},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert build_order(queue) == ["tool"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"not json\n", "line 1 is not JSON"),
            (b"[]\n", "line 1 is not of a backup"),
            (b"\xff\xfe\n", "is no text"),
        ],
    )
    def test_what_is_no_backup_is_refused_with_its_line(
        self, queue: Queue, cli: Cli, tmp_path: Path, text: bytes, said: str
    ) -> None:
        (tmp_path / "file").write_bytes(text)
        cli("restore", str(tmp_path / "file"), expect=ExitCode.FAILED)
        assert said in cli.err
        assert queue.snapshot().total_ready == 0

    @pytest.mark.parametrize("lines", [1, -1])
    def test_one_that_was_cut_off_is_refused_whole(
        self, queue: Queue, cli: Cli, tmp_path: Path, lines: int
    ) -> None:
        submit(queue, job("a"), job("b"), job("c"))
        whole, cut = tmp_path / "whole", tmp_path / "cut"
        cli("backup", str(whole))
        cut.write_text("".join(whole.read_text().splitlines(keepends=True)[:lines]))
        queue.reset()

        cli("restore", str(cut), expect=ExitCode.FAILED)
        assert "no whole backup" in cli.err
        assert queue.snapshot().total_ready == 0

    def test_what_is_taken_all_the_same_is_what_is_there(
        self, queue: Queue, cli: Cli, tmp_path: Path
    ) -> None:
        submit(queue, job("a"), job("b"))
        cli("backup", str(tmp_path / "whole"))
        lines = (tmp_path / "whole").read_text().splitlines(keepends=True)
        (tmp_path / "cut").write_text("".join(lines[:-1]))
        queue.reset()

        assert cli.json("restore", "--incomplete", str(tmp_path / "cut"))["jobs"] == 2

    @pytest.mark.usefixtures("queue")
    def test_a_backup_that_cannot_be_written_leaves_nothing(self, cli: Cli, tmp_path: Path) -> None:
        cli("backup", str(tmp_path / "no" / "where"), expect=ExitCode.FAILED)
        assert "cannot be written" in cli.err
        (tmp_path / "folder").mkdir()
        cli("backup", str(tmp_path / "folder"), expect=ExitCode.FAILED)
        assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_landed_job_is_shown_with_its_delivery(queue: Queue, cli: Cli) -> None:
    submit(queue, job("tool"))
    assert queue.land(claimed(queue), "delivery-1") is JobState.LANDED
    assert "delivery-1" in cli("show", "tool")


def test_what_a_build_took_is_shown(queue: Queue, cli: Cli) -> None:
    submit(queue, job("tool"))
    usage = Usage(peak_memory=3 * 1024**3, cpu_seconds=61.7)
    queue.finish(claimed(queue), Outcome.FAILED, notes=BuildNotes(usage=usage))
    assert "took: 62 s of the processor, 3,072 MiB of memory at most" in cli("show", "tool")
    (shown,) = cli.json("show", "tool")
    assert shown["job"]["usage"] == {"peak_memory": 3 * 1024**3, "cpu_seconds": 61.7}
