"""Interfere as it is applied to real builds on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.job import FailureClass, JobState, Outcome
from tests.support.packages import pkgbuild
from tests.support.quick_makepkg import MAKEPKG
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.building import BuildWorld

PATCH = """\
--- a/PKGBUILD
+++ b/PKGBUILD
@@ -1,5 +1,5 @@
 pkgname=tool
 pkgver=1
-pkgrel=1
+pkgrel=7
 arch=(any)
 license=(none)
"""


@pytest.fixture(autouse=True)
def tools() -> None:
    need_tools("patch")


def interfere_line(world: BuildWorld) -> str:
    """Return what the log says at its end about what was applied."""
    lines = [line for line in world.log().splitlines() if "interfere: " in line]
    return lines[-1].partition("interfere: ")[2]


def test_without_interfere_nothing_is_applied(world: BuildWorld) -> None:
    assert world.build({"PKGBUILD": pkgbuild("tool")}).state is JobState.LANDED
    assert world.manifest().applied == ()
    assert interfere_line(world) == "nothing was applied"


def test_a_patch_is_applied_in_the_packages_folder(world: BuildWorld) -> None:
    patch = f"{PATCH}--- /dev/null\n+++ b/sub/new\n@@ -0,0 +1 @@\n+made by a patch\n"
    text = pkgbuild("tool", build='cat "$startdir/sub/new"')
    view = world.build({"PKGBUILD": text, ".CI/interfere.patch": patch})
    assert view.state is JobState.LANDED, world.log()
    assert world.pkginfo()["pkgver"] == "1-7"
    assert "made by a patch" in world.log()
    assert world.manifest().applied == ("interfere.patch",)


def test_a_patch_that_does_not_apply_fails_and_says_which_hunk(world: BuildWorld) -> None:
    patch = PATCH + PATCH.replace("PKGBUILD", "other").replace("-pkgrel=1", "-pkgrel=9")
    other = pkgbuild("tool") + "\n" * 20
    view = world.build({"PKGBUILD": pkgbuild("tool"), "other": other, ".CI/interfere.patch": patch})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.PATCH)
    assert view.reason.startswith("interfere.patch does not apply: other: Hunk #1 FAILED at 1")
    assert "Starting build()" not in world.log()


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (PATCH.replace("pkgrel=1", "x").replace("pkgrel=7", "pkgrel=1"), "PKGBUILD"),
        (PATCH.replace("PKGBUILD", "missing"), "can't find file to patch"),
    ],
)
def test_neither_is_one_for_what_is_done_already_or_not_there(
    world: BuildWorld, patch: str, words: str
) -> None:
    view = world.build({"PKGBUILD": pkgbuild("tool"), ".CI/interfere.patch": patch})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.PATCH)
    assert words in view.reason


def test_prepend_comes_before_and_append_after_the_pkgbuild(world: BuildWorld) -> None:
    view = world.build(
        {
            # Neither of them ends its last line.
            "PKGBUILD": pkgbuild("tool", head='echo "head $_early"').rstrip(),
            ".CI/PKGBUILD.prepend": "_early=early",
            ".CI/PKGBUILD.append": "pkgrel=3\nbuild() {\n  echo appended $pkgver\n}",
        }
    )
    assert view.state is JobState.LANDED, world.log()
    assert "head early" in world.log()
    assert "appended 1" in world.log()
    assert world.pkginfo()["pkgver"] == "1-3"
    assert world.manifest().applied == ("PKGBUILD.prepend", "PKGBUILD.append")


def test_code_for_this_processor_only_is_not_made(world: BuildWorld) -> None:
    text = pkgbuild("tool", build='echo "flags: -O2 -march=native -pipe"')
    assert world.build({"PKGBUILD": text}).state is JobState.LANDED
    assert "flags: -O2  -pipe" in world.log()
    assert world.manifest().applied == ("-march=native taken out",)


@pytest.mark.parametrize(
    ("config", "version"),
    [
        ("CI_PACKAGE_BUMP=2:1-1/3", "2:1-1.3"),
        ("CI_PACKAGE_BUMP=1-1/3", "2:1-1"),
    ],
)
def test_the_pkgrel_is_bumped(world: BuildWorld, config: str, version: str) -> None:
    text = pkgbuild("tool", head="epoch=2\n_full=$pkgver-$pkgrel", build='echo "full $_full"')
    assert world.build({"PKGBUILD": text, ".CI/config": config}).state is JobState.LANDED
    assert world.pkginfo()["pkgver"] == version
    # What is made of it at the top of the PKGBUILD has it, too.
    assert f"full {version.removeprefix('2:')}\n" in world.log()


def test_a_pkgrel_that_stands_in_no_line_of_its_own_is_bumped(world: BuildWorld) -> None:
    text = pkgbuild("tool").replace("pkgrel=1", "if true; then pkgrel=1; fi")
    view = world.build({"PKGBUILD": text, ".CI/config": "CI_PACKAGE_BUMP=1"})
    assert view.state is JobState.LANDED, view.reason
    assert world.pkginfo()["pkgver"] == "1-1.1"
    assert world.manifest().applied == ("pkgrel 1 bumped to 1.1",)


@pytest.mark.parametrize("text", ["pkgrel=1\t# why", "pkgrel=1;", "pkgrel='1' # why", "pkgrel=1"])
def test_what_stands_behind_the_pkgrel_stays(world: BuildWorld, text: str) -> None:
    pkgbuild_text = pkgbuild("tool").replace("pkgrel=1", text)
    view = world.build({"PKGBUILD": pkgbuild_text, ".CI/config": "CI_PACKAGE_BUMP=1"})
    assert view.state is JobState.LANDED, view.reason
    assert world.pkginfo()["pkgver"] == "1-1.1"


def test_a_pkgrel_that_will_not_be_bumped_is_told(world: BuildWorld) -> None:
    text = pkgbuild("tool").replace("pkgrel=1", "pkgrel=1\nexport pkgrel=1")
    view = world.build({"PKGBUILD": text, ".CI/config": "CI_PACKAGE_BUMP=1"})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.INTERFERE)
    assert "cannot be bumped to 1.1" in view.reason


def test_all_is_applied_in_order(world: BuildWorld) -> None:
    # The patch is for a PKGBUILD without the option; prepend and append frame what it made, and
    # the bump is that of the version which the append says.
    text = pkgbuild("tool", build="echo flags -march=native")
    made = text.replace(" -march=native", " ").splitlines(keepends=True)
    line = made.index("  echo flags \n")
    patch = (
        f"--- a/PKGBUILD\n+++ b/PKGBUILD\n@@ -{line},3 +{line},4 @@\n"
        f" {made[line - 1]} {made[line]}+  echo patched as $_early\n {made[line + 1]}"
    )
    view = world.build(
        {
            "PKGBUILD": text,
            ".CI/config": "CI_PACKAGE_BUMP=5-1/2",
            ".CI/interfere.patch": patch,
            ".CI/PKGBUILD.prepend": "_early=early\npkgver=3\n",
            ".CI/PKGBUILD.append": "pkgver=5\n",
        }
    )
    assert view.state is JobState.LANDED, world.log()
    assert "patched as early" in world.log()
    assert world.pkginfo()["pkgver"] == "5-1.2"
    assert world.manifest().applied == (
        "-march=native taken out",
        "interfere.patch",
        "PKGBUILD.prepend",
        "PKGBUILD.append",
        "pkgrel 1 bumped to 1.2",
    )
    assert interfere_line(world) == ", ".join(world.manifest().applied)


def test_prepare_needs_an_executor_with_root(world: BuildWorld) -> None:
    view = world.build({"PKGBUILD": pkgbuild("tool"), ".CI/prepare": ":\n"})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.INTERFERE)
    assert "needs the container executor" in view.reason


def test_a_bad_interfere_file_is_refused_before_anything_is_run(world: BuildWorld) -> None:
    patch = "--- a/x\n+++ b/../../x\n@@ -1 +1 @@\n-a\n+b\n"
    view = world.build({"PKGBUILD": pkgbuild("tool"), ".CI/interfere.patch": patch})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.INTERFERE)
    assert "tool/.CI/interfere.patch:2: 'b/../../x' leads out" in view.reason
    assert "makepkg" not in world.log()


HOOK = """\
for name in OUTCOME FAILURE REASON PKGBASE PACKAGES; do
  declare -n value=CAUR_$name
  echo "$name=[$value]"
done
id -u
"""


def test_a_script_runs_after_a_success(world: BuildWorld) -> None:
    files = {
        "PKGBUILD": pkgbuild("tool"),
        ".CI/on-success.sh": HOOK,
        ".CI/on-failure.sh": "echo NO",
    }
    assert world.build(files).state is JobState.LANDED
    log = world.log()
    assert "OUTCOME=[SUCCESS]\nFAILURE=[]\nREASON=[]\nPKGBASE=[tool]\n" in log
    assert "PACKAGES=[tool-1-1-any.pkg.tar.zst]" in log
    assert "NO" not in log.splitlines()
    assert not log.splitlines().count("0")
    assert world.manifest().applied == ("on-success.sh",)


def test_another_script_runs_after_a_failure(world: BuildWorld) -> None:
    files = {
        "PKGBUILD": pkgbuild("tool", build="false"),
        ".CI/on-success.sh": "echo NO",
        ".CI/on-failure.sh": HOOK,
    }
    assert world.build(files).outcome is Outcome.FAILED
    log = world.log()
    assert "OUTCOME=[FAILED]\nFAILURE=[compile]\nREASON=[building: build() failed" in log
    assert "NO" not in log.splitlines()


def test_such_a_script_changes_nothing(world: BuildWorld) -> None:
    files = {"PKGBUILD": pkgbuild("tool"), ".CI/on-success.sh": "exit 9"}
    assert world.build(files).state is JobState.LANDED
    assert "on-success.sh failed with exit code 9" in world.log()
    assert world.manifest().applied == ()


def test_such_a_script_has_a_limit_of_its_own(
    world: BuildWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.worker.build_run._AFTERWARDS", 0.5)
    files = {"PKGBUILD": pkgbuild("tool"), ".CI/on-success.sh": "while :; do sleep 0.1; done"}
    assert world.build(files).state is JobState.LANDED
    assert "on-success.sh was ended: it took too long" in world.log()


def test_namcaps_report_is_in_the_log_where_there_is_namcap(
    world: BuildWorld, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Debian has no namcap; what is tested is that its report arrives.
    place = shared / "bin"
    place.mkdir()
    (place / "namcap").write_text('#!/bin/sh\nfor f; do echo "looked at ${f##*/}"; done\n')
    (place / "namcap").chmod(0o755)
    (place / "makepkg").write_text(f'#!/bin/sh\nexec {MAKEPKG} "$@"\n')
    (place / "makepkg").chmod(0o755)
    monkeypatch.setenv("PATH", str(place), prepend=":")
    assert world.build({"PKGBUILD": pkgbuild("tool")}).state is JobState.LANDED
    assert "says:\nlooked at PKGBUILD\nlooked at tool-1-1-any.pkg.tar.zst\n" in world.log()
