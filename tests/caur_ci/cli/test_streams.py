"""Output that cannot be written: the work is done all the same, and the exit code is true."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.streams import Stream
from caur_ci.errors import ExitCode
from tests.support.git import srcinfo
from tests.support.queue import job, submit

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.queue import Queue

FULL = "standard output cannot be written: No space left on device"


def shell(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `caur-ci` is the command line under test."""
    command = f'caur-ci() {{ "{sys.executable}" -P -m caur_ci "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Return a working tree with four packages, two of which have no `.SRCINFO`."""
    (tmp_path / ".git").mkdir()
    for name in "abcd":
        (tmp_path / name).mkdir()
        (tmp_path / name / "PKGBUILD").write_text(
            f"pkgname={name}\npkgver=1\npkgrel=1\narch=(any)\n"
        )
    (tmp_path / "a" / ".SRCINFO").write_text(srcinfo("a", "makedepends = b"))
    (tmp_path / "b" / ".SRCINFO").write_text(srcinfo("b"))
    return tmp_path


@pytest.mark.parametrize("command", ["--help", "--version", "deptree --repo {world}"])
def test_a_full_disk_is_an_error(world: Path, command: str) -> None:
    done = shell(f"caur-ci {command.format(world=world)} >/dev/full")
    assert done.returncode == ExitCode.FAILED
    assert f"error: {FULL}\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_told_is_done_all_the_same(world: Path) -> None:
    line = f"caur-ci srcinfo --write --repo {world} 2>{world}/said | true; exit ${{PIPESTATUS[0]}}"
    assert shell(line).returncode == ExitCode.OK
    assert (world / "said").read_text() == ""
    assert all((world / name / ".SRCINFO").is_file() for name in "abcd")


def test_the_exit_code_is_that_of_the_command(world: Path) -> None:
    line = f"caur-ci srcinfo --check --repo {world} | true; exit ${{PIPESTATUS[0]}}"
    assert shell(line).returncode == ExitCode.FAILED


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_nothing_needs_to_be_open(world: Path, closed: str) -> None:
    done = shell(f"caur-ci deptree --repo {world} {closed}")
    assert done.returncode == ExitCode.OK, done.stderr
    assert "Traceback" not in done.stderr


def test_no_file_takes_the_place_of_a_closed_descriptor(world: Path) -> None:
    shell(f"caur-ci srcinfo --write --repo {world} >&- 2>&-")
    assert (world / "c" / ".SRCINFO").read_text().startswith("pkgbase = c\n")


def test_what_the_encoding_does_not_have_is_replaced(world: Path) -> None:
    done = shell(f"caur-ci deptree a --repo {world}", PYTHONIOENCODING="ascii")
    assert done.returncode == ExitCode.OK, done.stderr
    assert "?? b" in done.stdout


@pytest.mark.parametrize("target", [">/dev/full", "| true"])
def test_a_backup_that_is_not_written_has_failed(queue: Queue, redis_url: str, target: str) -> None:
    submit(queue, job("a"))
    done = shell(f"caur-ci queue backup --redis {redis_url} {target}; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == ExitCode.FAILED
    assert done.stderr.count("standard output cannot be written") == 1


def test_a_reader_that_is_slow_gets_everything() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    data, read = os.urandom(1 << 20), bytearray()

    def consume() -> None:
        while part := os.read(reader, 4096):
            read.extend(part)

    thread = threading.Thread(target=consume)
    thread.start()
    stream, left = Stream(writer), memoryview(data)
    while left:
        left = left[stream.write(left) :]
    os.close(writer)
    thread.join()
    os.close(reader)
    assert bytes(read) == data
    assert stream.error is None
