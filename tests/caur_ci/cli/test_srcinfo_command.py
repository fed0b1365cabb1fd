"""`caur-ci srcinfo`, as a maintainer uses it."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.pkgbuild import makepkg
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

PKGBUILD = "pkgname={0}\npkgver=1\npkgrel=2\narch=(any)\ndepends=(bash)\n"
SRCINFO = (
    "pkgbase = {0}\n\tpkgver = 1\n\tpkgrel = 2\n\tarch = any\n\tdepends = bash\n\npkgname = {0}\n"
)
# The evaluator does not know what is in a file; makepkg does.
ASKS = PKGBUILD + "depends+=($(< needs))\n"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Return a repository with a package in step, one out of step, one without `.SRCINFO`."""
    for name in ("good", "stale", "bare"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "PKGBUILD").write_text(PKGBUILD.format(name))
    (tmp_path / "good" / ".SRCINFO").write_text("# by hand\n" + SRCINFO.format("good"))
    (tmp_path / "stale" / ".SRCINFO").write_text(
        SRCINFO.format("stale").replace("pkgrel = 2", "pkgrel = 1").replace("bash", "zsh")
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / ".git").mkdir()
    return tmp_path


def srcinfo(
    capsys: pytest.CaptureFixture[str], world: Path, *arguments: str
) -> tuple[int, str, str]:
    """Run the command; return its exit code, and what it printed and said."""
    code = run(["srcinfo", "--repo", str(world), *arguments], Session())
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_one_is_printed_as_makepkg_prints_it(
    capsys: pytest.CaptureFixture[str], world: Path
) -> None:
    assert srcinfo(capsys, world, "bare/") == (ExitCode.OK, SRCINFO.format("bare"), "")


def test_several_are_told_apart(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    code, out, _ = srcinfo(capsys, world / "good")
    assert code == ExitCode.OK
    assert [line for line in out.splitlines() if line.startswith("#")] == [
        "# bare/.SRCINFO",
        "# good/.SRCINFO",
        "# stale/.SRCINFO",
    ]


def test_a_check_names_fields_values_and_remedy(
    capsys: pytest.CaptureFixture[str], world: Path
) -> None:
    code, out, err = srcinfo(capsys, world, "--check")
    assert code == ExitCode.FAILED
    assert out.splitlines() == [
        "bare/.SRCINFO: missing",
        "stale/.SRCINFO: out of step",
        "  pkgrel: .SRCINFO has 1, the PKGBUILD 2",
        "  depends: .SRCINFO has zsh, the PKGBUILD bash",
    ]
    assert "1 in step, 1 missing, 1 out of step" in err
    assert "caur-ci srcinfo --write bare stale" in err


def test_a_check_of_what_is_in_step_is_silent(
    capsys: pytest.CaptureFixture[str], world: Path
) -> None:
    code, out, _ = srcinfo(capsys, world, "--check", "good")
    assert (code, out) == (ExitCode.OK, "")


def test_only_what_is_needed_is_written(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    before = (world / "good" / ".SRCINFO").read_bytes()
    outside = world / ".git" / "outside"
    outside.write_text("untouched")
    (world / "bare" / ".SRCINFO").symlink_to(outside)
    code, out, _ = srcinfo(capsys, world, "--write")
    assert code == ExitCode.OK
    assert out.splitlines() == ["bare/.SRCINFO: written", "stale/.SRCINFO: written"]
    assert (world / "good" / ".SRCINFO").read_bytes() == before
    for name in ("bare", "stale"):
        path = world / name / ".SRCINFO"
        assert path.read_text() == SRCINFO.format(name)
        assert stat.S_IMODE(path.lstat().st_mode) == 0o644
        assert not path.is_symlink()
        assert sorted(file.name for file in path.parent.iterdir()) == [".SRCINFO", "PKGBUILD"]
    assert outside.read_text() == "untouched"
    assert srcinfo(capsys, world, "--check")[0] == ExitCode.OK


def test_as_json(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    code, out, _ = srcinfo(capsys, world, "--json", "stale", "good")
    assert code == ExitCode.FAILED
    stale, good = json.loads(out)
    assert (stale["state"], good["state"], good["sure"]) == ("out of step", "in step", True)
    assert stale["srcinfo"] == SRCINFO.format("stale")
    assert stale["differences"][0] == {
        "package": "",
        "field": "pkgrel",
        "committed": ["1"],
        "expected": ["2"],
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["god"], "Did you mean good"),
        (["docs"], "docs has no PKGBUILD"),
        (["--check", "--write"], "exclude each other"),
        (["../good"], "no package folder"),
    ],
)
def test_what_cannot_be_meant_is_told(
    capsys: pytest.CaptureFixture[str], world: Path, arguments: list[str], said: str
) -> None:
    code, _, err = srcinfo(capsys, world, *arguments)
    assert code in {ExitCode.FAILED, ExitCode.USAGE}
    assert said in err


def test_makepkg_is_asked_in_a_sandbox(
    capsys: pytest.CaptureFixture[str], world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_tools("makepkg", "bwrap")
    monkeypatch.setenv("SECRET_OF_MINE", "hunter2")
    secret = world / "secret"
    secret.write_text("hidden")
    folder = world / "bare"
    (folder / "needs").write_text("zsh fish")
    # It sees no file outside, no variable, no network, and changes nothing here.
    (folder / "PKGBUILD").write_text(
        ASKS.format("bare")
        + f"[[ -e {secret} ]] && depends+=(sees-files)\n"
        + "[[ -n $SECRET_OF_MINE ]] && depends+=(sees-variables)\n"
        + "(exec 3<>/dev/tcp/127.0.0.1/22) 2> /dev/null && depends+=(sees-network)\n"
        + "(( EUID == 0 )) && depends+=(is-root)\n"
        + "[[ $(wc -l < /proc/net/dev) -gt 3 ]] && depends+=(sees-devices)\n"
        + "touch made; rm needs; :\n"
    )
    code, out, err = srcinfo(capsys, world, "bare")
    assert code == ExitCode.OK, err
    assert [line.strip() for line in out.splitlines() if "depends" in line] == [
        "depends = bash",
        "depends = zsh",
        "depends = fish",
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["PKGBUILD", "needs"]
    assert "bare: makepkg was asked, because of" in err


def test_what_is_not_read_within_the_bounds_is_not_sure(
    capsys: pytest.CaptureFixture[str], world: Path
) -> None:
    need_tools("makepkg", "bwrap")
    many = "".join(f": <<E{number}\nE{number}\n" for number in range(1_100))
    (world / "bare" / "PKGBUILD").write_text(PKGBUILD.format("bare") + many)
    code, out, _ = srcinfo(capsys, world, "bare", "--json")
    assert code == ExitCode.FAILED  # the file is missing
    (told,) = json.loads(out)
    assert told["srcinfo"] == SRCINFO.format("bare")
    assert not told["sure"]
    assert told["doubts"] == ["has more than 1,000 here-documents"]


def test_a_pkgbuild_that_writes_without_end_is_stopped(
    capsys: pytest.CaptureFixture[str], world: Path
) -> None:
    need_tools("makepkg", "bwrap")
    (world / "bare" / "PKGBUILD").write_text(PKGBUILD.format("bare") + "yes\n")
    code, out, err = srcinfo(capsys, world, "bare")
    assert (code, out) == (ExitCode.FAILED, "")
    assert "makepkg" in err


def test_what_makepkg_refuses_is_told(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    need_tools("makepkg", "bwrap")
    (world / "bare" / "PKGBUILD").write_text(PKGBUILD.format("bare").replace("=2", "=x"))
    code, out, err = srcinfo(capsys, world, "bare")
    assert (code, out) == (ExitCode.FAILED, "")
    assert "makepkg refuses the PKGBUILD" in err
    assert "pkgrel" in err


@pytest.mark.parametrize("missing", ["bwrap", "makepkg"])
def test_nothing_runs_without_the_sandbox(
    capsys: pytest.CaptureFixture[str],
    world: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else which(name))
    (world / "bare" / "PKGBUILD").write_text(
        ASKS.format("bare") + f"touch {world}/ran >/dev/null\n:\n"
    )
    code, out, err = srcinfo(capsys, world, "bare")
    assert (code, out) == (ExitCode.FAILED, "")
    assert "Install" in err
    assert "bare/PKGBUILD, line 6: depends" in err
    assert not (world / "ran").exists()
    # What is sure needs neither.
    assert srcinfo(capsys, world, "good")[0] == ExitCode.OK


def test_a_sandbox_that_does_not_work_is_not_gone_without(
    capsys: pytest.CaptureFixture[str], world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_tools("makepkg", "bwrap")
    monkeypatch.setattr(makepkg, "_APART", ("--no-such-option",))
    (world / "bare" / "PKGBUILD").write_text(ASKS.format("bare"))
    code, _, err = srcinfo(capsys, world, "bare")
    assert code == ExitCode.FAILED
    assert "bubblewrap does not work here" in err


def test_what_is_generated_is_not_missed(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    (world / ".ci").mkdir()
    (world / ".ci" / "config").write_text("REPO_NAME=repo\nCI_SRCINFO=generate\n")
    (world / "asks").mkdir()
    (world / "asks" / "PKGBUILD").write_text("pkgname=$(x)\n")

    code, out, err = srcinfo(capsys, world, "--check")

    assert code == ExitCode.FAILED
    assert "bare" not in out
    assert "stale/.SRCINFO: out of step" in out
    assert "asks" in err
    assert "1 generated" in err
    srcinfo(capsys, world, "--write")
    assert not (world / "bare" / ".SRCINFO").exists()
    srcinfo(capsys, world, "bare", "--write")
    assert (world / "bare" / ".SRCINFO").read_text() == SRCINFO.format("bare")
