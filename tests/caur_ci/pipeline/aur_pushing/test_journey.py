"""Packages reach the AUR after the push of `main`, and what is in their way is told."""

from __future__ import annotations

import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.aur_repository.remote import AurRemote
from caur_ci.errors import InputError
from caur_ci.git import Identity
from caur_ci.pipeline.holding import Keeper
from caur_ci.pipeline.shared.memory.aur_pushes import AurPush, AurPushes
from tests.caur_ci.pipeline.aur_pushing.world import MANAGED, NOW, package, with_sources
from tests.support.git import git
from tests.support.redis_server import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.pipeline.shared.memory.branch import Memory
    from tests.caur_ci.pipeline.aur_pushing.world import AurWorld


class TestWhatGetsThere:
    """The AUR has what the folder has, but for what does not belong there."""

    def test_a_new_package_begins_the_branch_master(self, world: AurWorld) -> None:
        files = {
            "fix.patch": "x\n",
            ".nvchecker.toml": "[a]\n",
            "LICENSES__0BSD.txt": "licence\n",
            "notes.txt": "private\n",
            ".CI__interfere.patch": "x\n",
            ".gitignore": "*.zst\n",
        }
        sources = ("fix.patch", "https://example.org/a.tar.gz")
        world.begin(with_sources("a", *sources, **files), {"b/PKGBUILD": "pkgname=b\n"})

        (outcome,) = world.run().outcomes

        assert (outcome.package, outcome.state.value) == ("a", "pushed")
        assert outcome.left_out == ("notes.txt",)
        assert world.aur.files("a").keys() == {
            *("PKGBUILD", ".SRCINFO", "fix.patch", ".nvchecker.toml", "LICENSES/0BSD.txt"),
        }
        assert world.aur.count("a") == 1
        assert not world.aur.tip("b")
        known = world.memory().aur.get("a")
        assert (known.commit, known.version, known.obstacle) == (world.aur.tip("a"), "1-1", "")
        assert world.decided("a") == [
            f"aur-pushed: as a new package, as commit {known.commit[:12]}"
        ]

    def test_the_next_version_follows_with_what_was_removed(self, world: AurWorld) -> None:
        """What the AUR's repository ignores for itself stays."""
        author = "GIT_AUTHOR_NAME=Robot\nGIT_AUTHOR_EMAIL=r@example.org\n"
        old = {"old.patch": "x\n", "keys__pgp__A.asc": "k\n"}
        world.begin(with_sources("a", "old.patch", **old), config=author)
        world.aur.commit("a", {**world.aur_files("a", "1"), ".gitignore": "*.log\n"})
        world.push(package("a"))
        world.push(with_sources("a", "new.patch", version="2", **{"new.patch": "y\n"}))
        world.push({"a/old.patch": None, "a/keys/pgp/A.asc": None})
        world.environ = {
            "GITLAB_CI": "true",
            "CI_PROJECT_URL": "https://git.example.org/g/pkgs",
            "CI_PIPELINE_URL": "https://git.example.org/g/pkgs/-/pipelines/7",
            "CI_COMMIT_BRANCH": "main",
        }

        assert world.states() == {"a": "pushed"}

        assert world.aur.files("a").keys() == {"PKGBUILD", ".SRCINFO", "new.patch", ".gitignore"}
        assert world.aur.files("a")[".gitignore"] == "*.log"
        assert world.aur.count("a") == 2
        assert world.memory().aur.get("a").version == "2-1"
        message = world.aur.message("a")
        assert message.startswith("chore: update a\n\n")
        assert "https://git.example.org/g/pkgs/-/commits/main/a\n" in message
        assert message.endswith("https://git.example.org/g/pkgs/-/pipelines/7")
        author = git(world.aur.repository("a"), "log", "-1", "--format=%an <%ae> %cn", "master")
        assert author == "Robot <r@example.org> Robot"

    def test_what_is_in_step_costs_no_connection(self, world: AurWorld) -> None:
        world.begin(package("a"), package("b"))
        world.states()
        before = len(world.aur.calls())
        world.push(package("b", "2"), {"a/.CI/config": f"{MANAGED}BUILDER_CLASS=2\n"})

        assert world.states() == {"b": "pushed"}

        assert all("b.git" in call for call in world.aur.calls()[before:])

    def test_the_tip_of_the_remote_counts_not_this_clone(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.push(package("a", "2"))
        git(world.checkout.folder, "checkout", "--quiet", "main~1")
        git(world.checkout.folder, "checkout", "--quiet", "-B", "main")

        world.states()

        assert "pkgver = 2" in world.aur.files("a")[".SRCINFO"]

    def test_many_go_side_by_side(self, world: AurWorld) -> None:
        names = [f"p{number}" for number in range(10)]
        world.begin(*map(package, names))

        assert world.states() == dict.fromkeys(names, "pushed")
        assert {name: world.aur.count(name) for name in names} == dict.fromkeys(names, 1)
        assert len(world.aur.calls("git-receive-pack")) == len(names)

    def test_a_package_that_goes_is_forgotten(self, world: AurWorld) -> None:
        world.begin(package("a"), package("b"))
        world.states()
        world.push({"b/.CI/config": None, "b/x": "x"})

        assert world.states() == {}
        assert world.memory().aur.lines.keys() == {"a"}


class TestWhoDecides:
    """The repository and the package both say so, and nobody holds it."""

    def test_the_repository_has_to_allow_it(self, world: AurWorld) -> None:
        world.push({".ci/config": world.aur.config.replace("AUR=true", "AUR=false")}, package("a"))

        assert world.states() == {}
        with pytest.raises(InputError, match="pushes no packages"):
            world.run("a")

    def test_others_are_not_known(self, world: AurWorld) -> None:
        world.begin(package("apple"), {"b/PKGBUILD": "pkgname=b\n"})

        with pytest.raises(InputError, match="there is no package appel") as caught:
            world.run("appel")
        assert caught.value.hint == "Did you mean apple?"
        with pytest.raises(InputError, match="not pushed to the AUR: b") as caught:
            world.run("apple", "b")
        assert "b/.CI/config" in caught.value.hint

    def test_a_package_on_hold_waits(self, world: AurWorld) -> None:
        world.begin(package("a"))
        Keeper.of(world.context(), NOW).hold(["a"], "odd")

        (outcome,) = world.run().outcomes

        assert (outcome.state.value, "odd" in outcome.reason) == ("waiting", True)
        assert not world.aur.tip("a")
        Keeper.of(world.context(), NOW).unhold(["a"])
        assert world.states() == {"a": "pushed"}


class TestWhatCannotGo:
    """It is told here, with what to do, before the AUR is asked."""

    def test_a_broken_rule_costs_no_connection(self, world: AurWorld) -> None:
        world.begin(with_sources("a", "gone.patch"), package("b"))

        report = world.run()

        states = {it.package: it.state.value for it in report.outcomes}
        assert states == {"a": "refused", "b": "pushed"}
        assert report.needs_somebody
        assert "'gone.patch', and there is no such file" in report.outcomes[0].reason
        assert not world.aur.repository("a").exists()
        assert "gone.patch" in world.decided("a")[0]

    def test_a_srcinfo_that_is_out_of_step_is_told(self, world: AurWorld) -> None:
        files = package("a")
        world.begin(files, {"a/PKGBUILD": str(files["a/PKGBUILD"]).replace("pkgver=1", "pkgver=2")})

        (outcome,) = world.run().outcomes

        assert "does not follow from the PKGBUILD (pkgver)" in outcome.reason

    def test_a_srcinfo_that_nobody_commits_is_made(self, world: AurWorld) -> None:
        world.begin(package("a"), config="CI_SRCINFO=generate\n")
        world.push({"a/.SRCINFO": None})

        assert world.states() == {"a": "pushed"}
        assert "pkgver = 1" in world.aur.files("a")[".SRCINFO"]

    def test_what_only_the_aur_knows_is_a_refusal(self, world: AurWorld) -> None:
        expected = {
            "orphaned": ("orphaned is orphaned", "adopt-check"),
            "denied": ("permission denied: tester", "neither maintains nor co-maintains"),
            "blacklisted": ("pkgbase is blacklisted: blacklisted", "rename the package"),
            "provided": ("already provided by [extra]: provided", "rename the package"),
            "taken": ("cannot overwrite package: taken", "rename the package"),
        }
        world.begin(*map(package, expected), package("fine"))
        for kind in expected:
            world.aur.flag(f"{kind}-{kind}")

        report = world.run()

        found = {it.package: it for it in report.outcomes}
        assert found.pop("fine").state.value == "pushed"
        for kind, (words, hint) in expected.items():
            assert found[kind].state.value == "refused"
            assert words in found[kind].reason
            assert hint in found[kind].hint
        assert report.needs_somebody

    def test_the_aur_is_not_asked_again_at_once(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.aur.flag("denied-a")
        world.states()
        asked = len(world.aur.calls())

        assert world.states() == {"a": "refused"}
        assert len(world.aur.calls()) == asked
        world.push(package("a", "2"))
        assert world.states() == {"a": "refused"}
        assert len(world.aur.calls()) > asked
        world.aur.flag("denied-a", up=False)
        world.now += 86_400
        assert world.states() == {"a": "pushed"}
        assert len(world.decided("a")) == 2  # the same refusal is told once


def test_a_folder_that_cannot_be_read_is_not_in_step(
    world: AurWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caur_ci.git.trees.MAX_LISTED", 1)
    world.begin(package("a"))

    (outcome,) = world.run().outcomes

    assert (outcome.state.value, "it has more than" in outcome.reason) == ("refused", True)


class TestWaiting:
    """What passes by itself is no failure; later runs try again."""

    def test_an_aur_that_takes_nothing(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.aur.flag("closed")

        report = world.run()

        (outcome,) = report.outcomes
        assert (outcome.state.value, outcome.is_news) == ("waiting", True)
        assert "pushes are temporarily suspended" in outcome.reason
        assert (report.needs_somebody, report.waits) == (False, True)
        since = world.memory().aur.get("a").since
        (again,) = world.run().outcomes
        assert (again.is_news, again.since) == (False, since)
        world.aur.flag("closed", up=False)
        assert world.states() == {"a": "pushed"}

    def test_most_packages_do_not_ask_a_server_that_does_not_answer(self, world: AurWorld) -> None:
        names = [f"p{number}" for number in range(10)]
        world.begin(*map(package, names), config="CI_MAX_PARALLEL=1\n")
        world.aur.flag("maintenance")

        assert world.states() == dict.fromkeys(names, "waiting")
        assert len(world.aur.calls()) == 2

    def test_a_server_that_cannot_be_reached(self, world: AurWorld) -> None:
        url = f"CI_AUR_SSH=ssh://aur@127.0.0.1:{free_port()}\n"
        world.begin(package("a"), config=url)

        report = world.run()

        assert [it.state.value for it in report.outcomes] == ["waiting"]
        assert "Connection refused" in report.outcomes[0].reason
        assert not report.needs_somebody

    def test_a_connection_that_breaks(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.aur.flag("die-a")

        assert world.states() == {"a": "waiting"}
        assert world.states() == {"a": "pushed"}

    def test_without_a_key_it_is_told_once(self, world: AurWorld) -> None:
        world.begin(package("a"), package("b"))
        world.key = ""

        first, second = world.run(), world.run()

        assert [it.state.value for it in first.outcomes] == ["waiting", "waiting"]
        assert [it.is_news for it in first.outcomes] == [True, True]
        assert [it.is_news for it in second.outcomes] == [False, False]
        assert not first.needs_somebody
        assert world.aur.calls() == []
        assert len(world.decided("a")) == 1
        world.key = None
        assert world.states() == {"a": "pushed", "b": "pushed"}


def test_the_key_is_in_no_argument_environment_and_file(
    world: AurWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.begin(package("a"))
    seen, wrapper = tmp_path / "seen", tmp_path / "bin/ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\n(env; echo ssh "$@"; cat /proc/$PPID/environ /proc/$PPID/cmdline) >> {seen}\n'
        f'find "$TMPDIR" -type f -exec cat {{}} + >> {seen}\n'
        f'exec {shutil.which("ssh")} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    secret = world.aur.key.splitlines()[2].encode()

    assert world.states() == {"a": "pushed"}

    assert b"git-receive-pack '/a.git'" in seen.read_bytes()
    assert b"StrictHostKeyChecking yes" in seen.read_bytes()
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != wrapper]
    assert [path for path in left if secret in path.read_bytes()] == []
    assert secret not in git(world.checkout.remote, "log", "--all", "-p").encode()
    assert [*(tmp_path / "temporary").iterdir()] == []


class TestOthers:
    """What others have pushed is never overwritten."""

    def test_a_commit_of_others_is_left_alone_and_shown(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.states()
        theirs = world.aur.commit("a", {**world.aur_files("a", "1"), "PKGBUILD": "pkgname=evil\n"})
        world.push(package("a", "2"))

        report = world.run()

        (outcome,) = report.outcomes
        assert (outcome.state.value, outcome.commit) == ("diverged", theirs)
        assert report.needs_somebody
        assert world.aur.tip("a") == theirs
        assert any("PKGBUILD" in line for line in outcome.difference)
        assert "+pkgname=evil" in outcome.difference
        assert f"--over {theirs[:12]}" in outcome.hint
        world.aur.flag("maintenance")
        assert world.states() == {"a": "diverged"}
        world.aur.flag("maintenance", up=False)
        assert world.states() == {"a": "diverged"}
        assert len([it for it in world.decided("a") if "aur-diverged" in it]) == 1

    def test_who_has_seen_it_may_go_on(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.states()
        theirs = world.aur.commit("a", {"PKGBUILD": "pkgname=theirs\n", ".SRCINFO": "x = y\n"})
        world.push(package("a", "2"))
        world.states()

        assert world.states("a", over="0" * 12) == {"a": "diverged"}
        assert world.states("a", over=theirs[:12]) == {"a": "pushed"}

        repository = world.aur.repository("a")
        assert git(repository, "rev-parse", "master~1") == theirs
        assert "pkgver = 2" in world.aur.files("a")[".SRCINFO"]
        assert world.memory().aur.get("a").obstacle == ""

    def test_what_others_did_is_in_step_once_it_is_here(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.states()
        tip = world.aur.commit("a", world.aur_files("a", "2"))
        world.push(package("a", "3"))
        assert world.states() == {"a": "diverged"}
        world.push(package("a", "2"))

        assert world.states() == {"a": "in step"}
        assert world.aur.tip("a") == tip

    def test_what_others_did_may_be_followed_once_it_was_here(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.aur.commit("a", world.aur_files("a", "2"))
        assert world.states() == {"a": "diverged"}
        world.push(package("a", "2"))
        world.push(package("a", "3"))

        assert world.states() == {"a": "pushed"}

    def test_an_older_state_of_ours_is_nobody_elses(self, world: AurWorld) -> None:
        """The existing system has pushed it, and nothing is remembered."""
        world.begin(package("a"))
        world.push(package("a", "2"))
        world.push(package("a", "3"))
        old = world.aur.commit("a", world.aur_files("a", "1"))

        assert world.states() == {"a": "pushed"}
        assert git(world.aur.repository("a"), "rev-parse", "master~1") == old

    def test_a_shallow_clone_gets_the_history_that_tells(self, world: AurWorld) -> None:
        world.begin(package("a"))
        world.push(package("a", "2"))
        world.aur.commit("a", world.aur_files("a", "1"))
        shallow = world.checkout.folder.with_name("shallow")
        git(
            shallow.parent,
            "clone",
            "--quiet",
            "--depth=1",
            world.checkout.remote.as_uri(),
            "shallow",
        )
        world.checkout = replace(world.checkout, folder=shallow)

        assert world.states() == {"a": "pushed"}
        assert "pkgver = 2" in world.aur.files("a")[".SRCINFO"]

    def test_a_newer_run_is_not_taken_for_others(
        self, world: AurWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.begin(package("a"))
        world.states()
        world.push(package("a", "2"))
        fetch, once = AurRemote.fetch, [True]

        def late(remote: AurRemote) -> object:
            if once.pop() if once else False:
                world.push(package("a", "3"))
                world.aur.commit("a", world.aur_files("a", "3"))
            return fetch(remote)

        monkeypatch.setattr(AurRemote, "fetch", late)

        assert world.states() == {"a": "waiting"}
        assert world.states() == {"a": "in step"}


class TestInterruptions:
    """A run that dies anywhere leaves nothing that the next one does not mend."""

    def test_killed_before_the_push_to_the_aur(self, world: AurWorld) -> None:
        world.begin(package("a"))
        _dies(world, before=True)

        assert world.states() == {"a": "pushed"}
        assert world.aur.count("a") == 1

    def test_killed_between_the_push_and_remembering_it(self, world: AurWorld) -> None:
        world.begin(package("a"))
        _dies(world, before=False)
        tip = world.aur.tip("a")
        assert tip
        assert world.memory().aur.get("a") == AurPush()

        assert world.states() == {"a": "in step"}
        assert world.aur.tip("a") == tip
        assert world.memory().aur.get("a").commit == tip

    def test_somebody_faster_is_waited_for(
        self, world: AurWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.begin(package("a"))
        world.states()
        world.push(package("a", "2"))
        push = AurRemote.push
        overtaken: list[str] = []

        def late(remote: AurRemote, commit: str) -> None:
            if not overtaken:
                overtaken.append(world.aur.commit("a", world.aur_files("a", "1")))
            push(remote, commit)

        monkeypatch.setattr(AurRemote, "push", late)

        assert world.states() == {"a": "pushed"}
        assert git(world.aur.repository("a"), "rev-parse", "master~1") == overtaken[0]

    def test_two_runs_at_once_push_once(self, world: AurWorld) -> None:
        names = ["a", "b", "c"]
        world.begin(*map(package, names))

        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda _: world.run(), range(2)))

        states = {it.state.value for report in reports for it in report.outcomes}
        assert states <= {"pushed", "in step"}
        assert {name: world.aur.count(name) for name in names} == dict.fromkeys(names, 1)
        world.run()
        assert [world.memory().aur.get(name).commit for name in names] == [
            *map(world.aur.tip, names)
        ]

    def test_what_two_runs_remember_at_once_is_looked_at_again(
        self, world: AurWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.begin(package("a"))
        push = AurRemote.push

        def another_run(remote: AurRemote, commit: str) -> None:
            push(remote, commit)
            other = AurPush(commit="c" * 40, tree="d" * 40)

            def change(memory: Memory) -> Memory:
                return replace(memory, aur=AurPushes().updated({"a": other}))

            shared = world.context().shared
            shared.change_memory(change, identity=Identity(), push_options=())

        monkeypatch.setattr(AurRemote, "push", another_run)
        world.states()
        monkeypatch.undo()

        assert world.memory().aur.get("a").tree == ""
        assert world.states() == {"a": "in step"}


def _dies(world: AurWorld, *, before: bool) -> None:
    """Let a run die just before it pushes to the AUR, or just after."""
    push = AurRemote.push

    def deadly(remote: AurRemote, commit: str) -> None:
        if not before:
            push(remote, commit)
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        AurRemote.push = deadly  # type: ignore[assignment, method-assign]
        try:
            world.run()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
