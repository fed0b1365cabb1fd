"""`caur-ci demo` itself, with everything real in it.

Only that makepkg looks for no mistakes in the PKGBUILDs, which `test_pkgbuild_fixtures` has it do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from caur_ci.errors import ExitCode
from caur_ci.locks import try_lock
from tests.support.tools import as_ordinary_user, need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = [sys.executable, "-P", "-m", "caur_ci", "demo"]
PACKAGES = {
    "almanac": "2:1.0-1",
    "lantern": "3.2-2",
    "lantern-doc": "3.2-2",
    "lantern-themes": "3.2-2",
    "ledger.sh": "0.2.1-1",
    "libmeasure": "1.4.0-1",
    "libtide": "2.0-1",
    "measure": "2.1.0-1",
    "recipe-scale": "0.9-3",
    "tally++": "1.0.7-1",
    "tide-clock": "0.4-1.1",
    "tide-today": "1.2-1.1",
}


@pytest.fixture(autouse=True)
def tools(quick_makepkg: None) -> None:
    need_tools(
        *("makepkg", "pacman", "repo-add", "vercmp", "bsdtar", "gpg", "fakeroot", "zstd", "git"),
        *("as", "ld"),
    )
    need_tools("valkey-server|redis-server")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files: of its own, so that what is left there shows.

    Not below pytest's folders: builds of another user have to get there, and sockets want short
    paths.
    """
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    folder.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder)


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of all processes that have to do with `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in command + environment and process.name != str(os.getpid()):
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def check_outcome(report: dict[str, Any], output: Path) -> None:
    assert [p for p in report["promises"] if not p["kept"]] == []
    outcomes = {build["pkgbase"]: build["outcome"] for build in report["builds"]}
    assert outcomes.pop("fails-on-purpose") == "FAILED"
    assert set(outcomes.values()) == {"SUCCESS"}
    assert report["stopped"]["package"] == "almanac"
    rebuilt = report["rebuilt"]
    assert (rebuilt["package"], rebuilt["version"]) == ("tide-today", "1.2-1.1")
    assert rebuilt["together"] == ["tide-clock", "tide-today"]
    assert (rebuilt["needed"], rebuilt["needs"]) == (["libtide.so.1"], ["libtide.so.2"])
    assert any("(run-as-code)" in finding for finding in report["stopped"]["findings"])
    assert (output / "pacman.conf").read_text() == report["pacman_conf"]
    assert "PUBLIC KEY" in Path(report["public_key"]).read_text()
    check_output(output)


def check_output(output: Path) -> None:
    published = output / "repository" / "caur-demo" / "x86_64"
    files = {path.name for path in published.iterdir()}
    for name, version in PACKAGES.items():
        packages = {f"{name}-{version}-{arch}.pkg.tar.zst" for arch in ("any", "x86_64")} & files
        assert len(packages) == 1, name
        assert {f"{package}.sig" for package in packages} <= files
    assert {"caur-demo.db", "caur-demo.db.sig"} <= files
    assert "on purpose" in (output / "logs" / "fails-on-purpose.log").read_text()


LONG = bool(os.environ.get("CAUR_LONG"))


@pytest.mark.skipif(not LONG, reason="the same is done without rights below; CAUR_LONG=1")
def test_everything_that_is_promised_happens_and_only_the_output_is_left(
    temporary: Path, tmp_path: Path
) -> None:
    output = tmp_path / "the output"

    done = subprocess.run(
        [*DEMO, "--json", "--output", output], cwd=tmp_path, capture_output=True, check=False
    )

    assert done.returncode == ExitCode.OK, done.stderr.decode()
    check_outcome(json.loads(done.stdout), output)
    assert b"recipe-scale: published" in done.stderr
    assert [str(path) for path in temporary.rglob("*")] == []
    assert [path.name for path in tmp_path.iterdir()] == ["the output"]
    assert processes_of(temporary) == []


def test_an_ordinary_user_gets_the_same_and_a_page_on_it(temporary: Path, tmp_path: Path) -> None:
    output, told = tmp_path / "output", tmp_path / "told"

    with (
        told.open("wb") as printed,
        subprocess.Popen(
            [*as_ordinary_user(), *DEMO, "--serve", "--output", output],
            cwd=tmp_path,
            stdout=printed,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        page = page_of(process)
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read() if process.stderr else b""
        assert process.wait() == ExitCode.OK, told.read_text() + errors.decode()

    assert "recipe-scale" in page
    shown = told.read_bytes()
    assert b"Everything that was promised happened" in shown
    assert b"[caur-demo]" in shown
    assert str(output / "logs" / "fails-on-purpose.log").encode() in shown
    check_output(output)
    assert {path.name for path in tmp_path.iterdir()} == {"output", "told"}
    assert [str(path) for path in temporary.rglob("*")] == []
    assert processes_of(temporary) == []


def page_of(process: subprocess.Popen[bytes]) -> str:
    """Wait until a demonstration says where its page is, and return that."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line.decode())
        if found := re.search(r"shown at (http://127\.0\.0\.1:[0-9]+/)", seen[-1]):
            return httpx.get(found[1], timeout=60).raise_for_status().text
    raise AssertionError("".join(seen))


# One of them at a time, unless `CAUR_LONG=1`: to the demonstration they are the same.
SIGNALS = [signal.SIGTERM, signal.SIGINT] if LONG else [signal.SIGINT]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_in_the_middle_of_a_build_leaves_nothing_behind(
    number: signal.Signals, temporary: Path, tmp_path: Path
) -> None:
    with (
        (tmp_path / "stderr").open("wb") as stderr,
        subprocess.Popen(
            [*DEMO, "--output", tmp_path / "output"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        ) as process,
    ):
        deadline = time.monotonic() + 150
        while b"building" not in (tmp_path / "stderr").read_bytes():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(processes_of(temporary)) >= 4
        process.send_signal(number)
        process.send_signal(number)
        assert process.wait(120) == ExitCode.INTERRUPTED

    assert [str(path) for path in temporary.rglob("*")] == []
    assert processes_of(temporary) == []


def test_all_missing_programs_are_named_before_anything_is_made(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path))

    done = subprocess.run(
        [*DEMO, "--output", tmp_path / "output"], cwd=tmp_path, capture_output=True, check=False
    )

    assert done.returncode == ExitCode.FAILED
    assert b"not installed: makepkg, pacman, repo-add" in done.stderr
    assert b"make demo" in done.stderr
    assert not (tmp_path / "output").exists()
    assert list(temporary.rglob("*")) == []


def test_two_demonstrations_do_not_write_to_one_folder(temporary: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    lock = try_lock(output / ".caur-ci-demo")
    assert lock is not None

    done = subprocess.run(
        [*DEMO, "--output", output], cwd=tmp_path, capture_output=True, check=False
    )

    os.close(lock)
    assert done.returncode == ExitCode.FAILED
    assert b"another demonstration is writing" in done.stderr


def test_a_folder_with_other_things_in_it_is_left_alone(temporary: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / "thesis.tex").write_text("the only copy")

    done = subprocess.run(
        [*DEMO, "--output", output], cwd=tmp_path, capture_output=True, check=False
    )

    assert done.returncode == ExitCode.FAILED
    assert b"is not empty" in done.stderr
    assert b"--output" in done.stderr
    assert (output / "thesis.tex").read_text() == "the only copy"
    assert [str(path) for path in temporary.rglob("*")] == []
