"""`caur-ci bump`, `drop` and `rename`, as people and pipelines call them, with a real remote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.git import GitRepository
from caur_ci.pipeline.shared.memory.branch import Memory
from tests.support.git import Checkout, git, srcinfo

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.pipeline.shared.memory.ledger import LedgerEntry

Captured = pytest.CaptureFixture[str]

FOLDERS = {
    "lib/PKGBUILD": "pkgname=lib",
    "lib/.SRCINFO": srcinfo("lib"),
    "app/PKGBUILD": "pkgname=app",
    "app/.SRCINFO": srcinfo("app", "depends = lib"),
    "app/.CI/config": "# ours\nBUILDER_CLASS=heavy\n",
    "tool/PKGBUILD": "pkgname=tool",
    "tool/.SRCINFO": srcinfo("tool", "makedepends = lib"),
    "mine/PKGBUILD": "pkgname=mine",
    "mine/.SRCINFO": srcinfo("mine", "depends = lib"),
    "mine/.CI/config": "CI_MANAGE_AUR=true\n",
    "raw/PKGBUILD": "pkgname=raw",
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A repository in which on-commit has dealt with everything."""
    checkout = Checkout.create(tmp_path / "world")
    checkout.commit("feat: packages", {".ci/config": "REPO_NAME=repo\n", **FOLDERS})
    checkout.schedule_here()
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("COLUMNS", "200")
    return checkout


def caur(*arguments: str) -> int:
    return run(list(arguments), Session())


def memory(world: Checkout) -> Memory:
    remote = GitRepository.open(world.remote)
    return Memory.read(remote, remote.resolve("refs/heads/caur"))


def asked(world: Checkout) -> dict[str, str]:
    """Return what builds the outbox asks for, and why."""
    return {
        package.pkgbase: package.reason
        for request in memory(world).outbox.requests
        for package in request.packages
    }


def about(world: Checkout, package: str) -> LedgerEntry:
    return memory(world).ledger.about(package)[0]


def remote(world: Checkout, *arguments: str) -> str:
    return git(world.remote, *arguments)


class TestBump:
    """A bump is a commit that is dealt with at once."""

    def test_the_package_is_built_once_more(self, world: Checkout) -> None:
        assert caur("bump", "app", "--reason", "new linker") == ExitCode.OK

        assert remote(world, "show", "main:app/.CI/config").splitlines() == [
            "# ours",
            "BUILDER_CLASS=heavy",
            "CI_PACKAGE_BUMP=1-1/1",
        ]
        assert remote(world, "log", "-1", "--format=%B", "main").splitlines() == [
            "chore(bump): app",
            "",
            "- app: bumped to 1-1.1 by Tester: new linker",
        ]
        assert asked(world) == {"app": "bumped to 1-1.1 by Tester: new linker"}
        assert (about(world, "app").run, about(world, "app").decision) == ("caur-ci bump", "build")
        assert remote(world, "rev-parse", "scheduled") == remote(world, "rev-parse", "main")

    def test_the_checkout_follows(self, world: Checkout) -> None:
        (world.folder / "tool/PKGBUILD").write_text("being edited")

        caur("bump", "app")

        assert world.head() == remote(world, "rev-parse", "main")
        assert "CI_PACKAGE_BUMP" in (world.folder / "app/.CI/config").read_text()
        assert (world.folder / "tool/PKGBUILD").read_text() == "being edited"

    def test_again_and_again(self, world: Checkout) -> None:
        caur("bump", "lib")
        caur("bump", "lib")

        assert remote(world, "show", "main:lib/.CI/config") == "CI_PACKAGE_BUMP=1-1/2"

    def test_what_depends_on_it(self, world: Checkout, capsys: Captured) -> None:
        assert caur("bump", "--dependents-of", "lib") == ExitCode.OK

        assert asked(world).keys() == {"app", "tool"}
        assert "mine is not bumped: mine is pushed to the AUR" in capsys.readouterr().err

    def test_all_of_them(self, world: Checkout, capsys: Captured) -> None:
        assert caur("bump", "all") == ExitCode.OK

        assert asked(world).keys() == {"app", "lib", "tool"}
        said = capsys.readouterr().err
        assert "raw is not bumped: the .SRCINFO of raw is missing" in said

    def test_one_that_cannot_be_is_an_error_where_it_was_named(
        self, world: Checkout, capsys: Captured
    ) -> None:
        before = remote(world, "for-each-ref")

        assert caur("bump", "app", "mine") == ExitCode.FAILED

        assert "Raise pkgrel in its PKGBUILD" in capsys.readouterr().err
        assert remote(world, "for-each-ref") == before

    def test_lists_of_pipelines(self, world: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PACKAGES", "lib:app, tool")

        assert caur("bump") == ExitCode.OK

        assert asked(world).keys() == {"app", "lib", "tool"}

    @pytest.mark.usefixtures("world")
    def test_nobody_is_named(self, capsys: Captured) -> None:
        assert caur("bump") == ExitCode.FAILED
        assert "no package is named" in capsys.readouterr().err

    def test_one_on_hold_is_built_later(self, world: Checkout) -> None:
        caur("hold", "app")

        assert caur("bump", "app") == ExitCode.OK

        assert asked(world) == {}
        assert "bumped to 1-1.1" in memory(world).holds.packages["app"].left_out


class TestDrop:
    """A package that goes is removed everywhere, and the reason stays."""

    def test_it_goes(self, world: Checkout, capsys: Captured) -> None:
        assert caur("drop", "lib", "--reason", "it is in the distribution") == ExitCode.OK

        assert "lib" not in remote(world, "ls-tree", "--name-only", "main").splitlines()
        assert remote(world, "log", "-1", "--format=%s", "main") == "chore(drop): lib"
        (request,) = memory(world).outbox.requests
        assert request.remove == ("lib",)
        assert about(world, "lib").reason == "dropped by Tester: it is in the distribution"
        assert "lib is needed by app, mine, tool" in capsys.readouterr().err
        assert not (world.folder / "lib").exists()

    @pytest.mark.usefixtures("world")
    def test_why_tells_the_reason_afterwards(self, capsys: Captured) -> None:
        caur("drop", "tool", "--reason", "nobody maintains it")

        caur("why", "tool")

        assert "nobody maintains it" in capsys.readouterr().out

    def test_an_unknown_name_is_an_error_for_all(self, world: Checkout, capsys: Captured) -> None:
        assert caur("drop", "lib", "tol") == ExitCode.FAILED

        assert "Did you mean tool" in capsys.readouterr().err
        assert "lib" in remote(world, "ls-tree", "--name-only", "main").splitlines()


class TestRename:
    """A folder with another name is another package base."""

    def test_the_old_goes_and_the_new_is_built(self, world: Checkout, capsys: Captured) -> None:
        tree = remote(world, "rev-parse", "main:tool")

        assert caur("rename", "tool", "tool-git") == ExitCode.OK

        assert remote(world, "rev-parse", "main:tool-git") == tree
        (request,) = memory(world).outbox.requests
        assert (request.remove, [it.pkgbase for it in request.packages]) == (
            ("tool",),
            ["tool-git"],
        )
        assert "the pkgbase in tool-git/PKGBUILD is tool" in capsys.readouterr().err
        assert about(world, "tool").reason == "renamed to tool-git by Tester"

    @pytest.mark.parametrize("name", ["app", "-x", ".ci", "a/b", "../x"])
    def test_names_that_cannot_be(self, world: Checkout, name: str) -> None:
        before = remote(world, "for-each-ref")

        assert caur("rename", "tool", "--", name) in {ExitCode.FAILED, ExitCode.USAGE}

        assert remote(world, "for-each-ref") == before


class TestTheBranch:
    """What is done by hand goes on top of what everybody has."""

    def test_a_dry_run_changes_nothing(self, world: Checkout, capsys: Captured) -> None:
        before = remote(world, "for-each-ref")

        assert caur("bump", "app", "--dry-run") == ExitCode.OK

        assert remote(world, "for-each-ref") == before
        said = capsys.readouterr()
        assert "bumped to 1-1.1" in said.out
        assert "the commit would be: chore(bump): app" in said.err

    def test_what_others_pushed_meanwhile_is_dealt_with_as_well(self, world: Checkout) -> None:
        old = world.head()
        world.commit("fix: tool", {"tool/PKGBUILD": "pkgname=tool\n# fixed"})
        world.push()
        git(world.folder, "reset", "--quiet", "--hard", old)

        assert caur("bump", "app") == ExitCode.OK

        assert asked(world).keys() == {"app", "tool"}

    def test_somebody_who_is_faster(self, world: Checkout) -> None:
        old = world.head()
        faster = world.commit("fix: tool", {"tool/PKGBUILD": "pkgname=tool\n# fixed"})
        world.push()
        remote(world, "update-ref", "refs/heads/main", old)
        git(world.folder, "reset", "--quiet", "--hard", old)
        world.overtake("refs/heads/main", faster)

        assert caur("bump", "app") == ExitCode.OK

        assert world.was_overtaken
        assert asked(world).keys() == {"app", "tool"}
        assert remote(world, "rev-parse", "main^") == faster

    def test_commits_that_were_never_pushed(self, world: Checkout, capsys: Captured) -> None:
        world.commit("wip", {"app/PKGBUILD": "pkgname=app\n# wip"})

        assert caur("bump", "tool") == ExitCode.FAILED
        assert "Push them first" in capsys.readouterr().err

    def test_on_github_no_workflow_starts(
        self, world: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_ACTOR", "alice")
        monkeypatch.setenv("GITHUB_SHA", world.head())

        caur("bump", "app")

        assert "the pipeline runs for" not in capsys.readouterr().err
        message = remote(world, "log", "-1", "--format=%B", "main")
        assert message.startswith("chore(bump): app [skip ci]\n")
        assert "by alice" in message

    def test_for_machines(self, world: Checkout, capsys: Captured) -> None:
        caur("bump", "app", "--json")

        told = json.loads(capsys.readouterr().out)
        assert told["published"] is True
        assert told["commit"] == world.head()
        assert [it["package"] for it in told["decisions"]] == ["app"]


class TestSchedule:
    """Builds may be asked for without a change, and without a queue."""

    def test_the_request_waits_in_the_outbox(self, world: Checkout, capsys: Captured) -> None:
        assert caur("schedule", "--into-outbox", "app/heavy:lib") == ExitCode.OK

        (request,) = memory(world).outbox.requests
        assert [(it.pkgbase, it.build_class) for it in request.packages] == [
            ("app", "heavy"),
            ("lib", None),
        ]
        assert request.commit == world.head()
        assert about(world, "app").reason == "asked for by Tester"
        assert "2 packages" in capsys.readouterr().out

    def test_all_of_them(self, world: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PACKAGES", "all/9")

        assert caur("schedule", "--into-outbox") == ExitCode.OK

        (request,) = memory(world).outbox.requests
        assert {it.pkgbase for it in request.packages} == {"app", "lib", "mine", "raw", "tool"}
        assert {it.build_class for it in request.packages} == {"9"}

    def test_one_on_hold_is_refused(self, world: Checkout) -> None:
        caur("hold", "app")

        assert caur("schedule", "--into-outbox", "app") == ExitCode.FAILED
        assert asked(world) == {}
        assert caur("schedule", "--into-outbox", "--even-held", "app") == ExitCode.OK
        assert asked(world).keys() == {"app"}

    @pytest.mark.usefixtures("world")
    def test_nobody_is_named(self) -> None:
        assert caur("schedule", "--into-outbox") == ExitCode.FAILED
