"""`caur-ci aur`, and what on-commit and on-schedule do at their end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.environment import Secrets
from caur_ci.errors import ExitCode
from tests.caur_ci.pipeline.aur_pushing.world import AurWorld, package, with_sources
from tests.support.aur_server import aur_server
from tests.support.git import Checkout, git
from tests.support.git_http import git_over_http

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.queue import Queue
    from tests.support.aur_ssh import AurSsh

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def world(aur: AurSsh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AurWorld:
    """A repository to work in, and an AUR."""
    world = AurWorld(Checkout.create(tmp_path / "world"), aur)
    monkeypatch.chdir(world.checkout.folder)
    monkeypatch.setenv("COLUMNS", "200")
    return world


def caur(world: AurWorld, *arguments: str, key: bool = True) -> int:
    secrets = Secrets({"AUR_KEY": world.aur.key} if key else {})
    return run(list(arguments), Session(secrets))


NAMES = "REPO_NAME=target\nBUILD_REPO=source\n"


class TestRuns:
    """on-commit and on-schedule push at their end, when their own push has landed."""

    def test_on_commit_pushes_what_it_publishes(self, world: AurWorld, capsys: Captured) -> None:
        world.begin(package("a"), config=NAMES)
        for option in ("--dry-run", "--no-push"):
            assert caur(world, "on-commit", option) == ExitCode.OK
            assert not world.aur.tip("a")
        capsys.readouterr()

        assert caur(world, "on-commit", "--json") == ExitCode.OK

        told = capsys.readouterr()
        (outcome,) = json.loads(told.out)["aur"]["outcomes"]
        assert (outcome["package"], outcome["state"]) == ("a", "pushed")
        assert "a 1-1 was pushed to the AUR, as a new package" in told.err
        assert world.aur.tip("a") == outcome["commit"]

    def test_a_run_whose_own_push_fails_pushes_nothing(self, world: AurWorld) -> None:
        world.begin(package("a"), config=NAMES)
        hook = world.checkout.remote / "hooks/pre-receive"
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)

        assert caur(world, "on-commit") == ExitCode.FAILED
        assert not world.aur.tip("a")
        hook.unlink()
        assert caur(world, "on-commit") == ExitCode.OK
        assert world.aur.tip("a")

    def test_on_schedule_goes_on_with_what_waited(self, world: AurWorld, capsys: Captured) -> None:
        world.begin(package("a"), with_sources("bad", "gone.patch"), config=NAMES)
        world.aur.flag("maintenance")
        assert caur(world, "on-commit") == ExitCode.PARTIAL
        told = capsys.readouterr().err
        assert "a: not pushed to the AUR yet: the AUR says: The AUR is down" in told
        assert "bad cannot be pushed to the AUR: .SRCINFO: source names" in told
        world.aur.flag("maintenance", up=False)

        assert caur(world, "on-schedule", "--json") == ExitCode.PARTIAL

        found = json.loads(capsys.readouterr().out)["aur"]["outcomes"]
        assert {it["package"]: it["state"] for it in found} == {"a": "pushed", "bad": "refused"}
        assert world.aur.tip("a")

    def test_a_key_that_is_not_known_is_told_with_its_public_half(
        self, world: AurWorld, capsys: Captured
    ) -> None:
        world.begin(package("a"), package("b"), config=f"{NAMES}CI_MAX_PARALLEL=1\n")
        authorized = world.aur.ssh.folder / "authorized_keys"
        line = authorized.read_text()
        authorized.write_text("")
        try:
            assert caur(world, "on-commit") == ExitCode.PARTIAL
        finally:
            authorized.write_text(line)

        told = capsys.readouterr().err
        assert "The key's public half: ssh-ed25519 AAAA" in told
        assert told.count("Put its public half into the account") == 1
        assert world.aur.key.splitlines()[2] not in told

    def test_a_key_that_is_none_stops_nothing_else(self, world: AurWorld, capsys: Captured) -> None:
        world.begin(package("a"), config=NAMES)
        session = Session(Secrets({"AUR_KEY": "nonsense"}))

        assert run(["on-commit"], session) == ExitCode.PARTIAL
        assert "AUR_KEY is neither a private key nor a file that has one" in capsys.readouterr().err
        assert git(world.checkout.remote, "for-each-ref", "refs/tags/scheduled")


class TestPush:
    """What a person pushes by hand."""

    def test_a_dry_run_shows_how_it_differs(self, world: AurWorld, capsys: Captured) -> None:
        world.begin(package("a"))
        assert caur(world, "aur", "push") == ExitCode.OK
        before = world.aur.tip("a")
        world.push(package("a", "2"), package("b"))
        capsys.readouterr()

        assert caur(world, "aur", "push", "--dry-run") == ExitCode.OK

        told = capsys.readouterr().out
        assert "a 2-1 would be pushed\n" in told
        assert "+pkgver=2" in told
        assert "b 1-1 would be pushed as a new package\n" in told
        assert (world.aur.tip("a"), world.aur.tip("b")) == (before, "")
        assert world.memory().aur.get("b").obstacle == ""

    def test_what_waits_is_to_be_tried_again(self, world: AurWorld, capsys: Captured) -> None:
        world.begin(package("a"))

        assert caur(world, "aur", "push", key=False) == ExitCode.TEMPORARY
        assert "AUR_KEY is not set" in capsys.readouterr().err
        assert caur(world, "aur", "push") == ExitCode.OK
        assert caur(world, "aur", "push") == ExitCode.OK
        assert "nothing to push" in capsys.readouterr().out

    def test_over_a_commit_of_others(self, world: AurWorld, capsys: Captured) -> None:
        world.begin(package("a"))
        theirs = world.aur.commit("a", {"PKGBUILD": "theirs\n", ".SRCINFO": "x = y\n"})

        assert caur(world, "aur", "push", "a", "--json") == ExitCode.PARTIAL
        told = capsys.readouterr()
        assert json.loads(told.out)["outcomes"][0]["state"] == "diverged"
        assert "a is not pushed over others" in told.err
        assert f"--over {theirs[:12]}" in told.err
        assert "+theirs" in told.err
        assert caur(world, "aur", "push", "--over", theirs) == ExitCode.FAILED
        assert caur(world, "aur", "push", "a", "--over", "HEAD") == ExitCode.FAILED
        assert caur(world, "aur", "push", "a", "--over", theirs[:10]) == ExitCode.OK
        assert world.aur.count("a") == 2


class TestStatus:
    """How packages stand, with and without asking the AUR."""

    def test_all_states(self, world: AurWorld, capsys: Captured) -> None:
        world.begin(
            package("fine"), package("old"), package("theirs"), with_sources("bad", "gone.patch")
        )
        caur(world, "aur", "push")
        world.push(package("old", "2"), package("theirs", "2"))
        world.aur.commit("theirs", {"PKGBUILD": "theirs\n", ".SRCINFO": "x = y\n"})
        asked = len(world.aur.calls())
        capsys.readouterr()

        assert caur(world, "aur", "status", key=False) == ExitCode.PARTIAL

        rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
        states = {row[0]: " ".join(row[1:4]) for row in rows}
        assert states["fine"].startswith("in step")
        assert states["old"] == "to be pushed"
        assert states["theirs"] == "to be pushed"  # nobody has asked
        assert states["bad"].startswith("refused")
        assert len(world.aur.calls()) == asked

        assert caur(world, "aur", "status", "--check", "--json") == ExitCode.PARTIAL
        found = json.loads(capsys.readouterr().out)["outcomes"]
        assert {it["package"]: it["state"] for it in found} == {
            "bad": "refused",
            "fine": "in step",
            "old": "to be pushed",
            "theirs": "diverged",
        }

    def test_without_a_key_the_web_is_asked(self, world: AurWorld, capsys: Captured) -> None:
        with git_over_http(world.aur.folder / "repos", "") as web:
            url = f"CI_AUR_URL=http://127.0.0.1:{web.server_port}\n"
            world.begin(package("fine"), package("theirs"), config=url)
            world.aur.commit("fine", world.aur_files("fine", "1"))
            world.aur.commit("theirs", {"PKGBUILD": "theirs\n", ".SRCINFO": "x = y\n"})

            assert caur(world, "aur", "status", "--check", "--json", key=False) == ExitCode.PARTIAL

        found = json.loads(capsys.readouterr().out)["outcomes"]
        assert [it["state"] for it in found] == ["in step", "diverged"]
        assert world.aur.calls() == []

    def test_without_packages(self, world: AurWorld, capsys: Captured) -> None:
        world.push({".ci/config": NAMES})

        assert caur(world, "aur", "status") == ExitCode.OK
        assert "no package is pushed to the AUR" in capsys.readouterr().out


class TestAdoptCheck:
    """Whose the packages are, and what to do."""

    def test_each_case_has_its_remedy(self, world: AurWorld, capsys: Captured) -> None:
        with aur_server() as web:
            web.add("mine", maintainer="Tester")
            web.add("shared", maintainer="other", comaintainers=("tester",))
            web.add("theirs", maintainer="other", comaintainers=("friend",))
            web.add("orphan", maintainer=None)
            names = ("mine", "shared", "theirs", "orphan", "new")
            world.begin(*map(package, names), config=f"CI_AUR_URL={web.url}\n")

            assert caur(world, "aur", "adopt-check", "--json") == ExitCode.FAILED

            found = json.loads(capsys.readouterr().out)
            assert found["account"] == "tester"
            packages = {it["package"]: it for it in found["packages"]}
            assert {name: it["may_push"] for name, it in packages.items()} == {
                "mine": True,
                "shared": True,
                "theirs": False,
                "orphan": False,
                "new": True,
            }
            assert "adopt orphan`" in packages["orphan"]["remedy"]
            assert "set-comaintainers theirs friend tester`" in packages["theirs"]["remedy"]

            assert caur(world, "aur", "adopt-check", "mine", "theirs", key=False) == ExitCode.OK
            told = capsys.readouterr()
            assert "our account at the AUR is not known: AUR_KEY is not set" in told.err
            assert "not known" in told.out


def test_why_tells_it_and_still_misses_a_lost_request(
    world: AurWorld, queue: Queue, redis_url: str, capsys: Captured
) -> None:
    world.begin(package("a"), config=NAMES)
    caur(world, "on-commit")
    capsys.readouterr()

    assert caur(world, "why", "a", "--redis", redis_url) == ExitCode.OK

    told = capsys.readouterr().out
    assert "decided aur-pushed nothing → 1-1: as a new package, as commit" in told
    assert "a build was asked for, and the queue knows nothing of it" in told
