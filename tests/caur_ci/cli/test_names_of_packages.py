"""A package may be called by its folder, with a slash too, by its pkgbase, or almost right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.cli.working_tree import as_folders, folder_of, known_names
from caur_ci.environment import Secrets
from caur_ci.errors import ExitCode
from tests.support.git import Checkout, Content, srcinfo

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.queue import Queue

PKGBUILD = "pkgname={0}\npkgver=1\npkgrel=1\narch=(any)\n"


@pytest.fixture
def world(
    tmp_path: Path, queue: Queue, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Checkout:
    """Return the repository that we are in: pkgbase `real` in `folder`, and `tool`, both queued."""
    checkout = Checkout.create(tmp_path / "world")
    files: dict[str, Content] = {".ci/config": "REPO_NAME=r\nBUILD_REPO=r\n"}
    for folder, pkgbase in (("folder", "real"), ("tool", "tool")):
        files[f"{folder}/PKGBUILD"] = PKGBUILD.format(pkgbase)
        files[f"{folder}/.SRCINFO"] = srcinfo(pkgbase)
    checkout.commit("x", files)
    checkout.schedule_here()
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert run(["schedule", "folder", "tool"], _session(redis_url)) == ExitCode.OK
    return checkout


def _session(redis_url: str) -> Session:
    return Session(secrets=Secrets({"REDIS_URL": redis_url}))


COMMANDS = (
    "why {}", "queue show {}", "queue promote {}", "schedule {}", "srcinfo --check {}",
    "deptree {}", "on-schedule --dry-run --only {}",
)  # fmt: skip


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", ["folder/", "./folder/", "real"])
@pytest.mark.parametrize("command", COMMANDS)
def test_by_every_name(
    redis_url: str, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    code = run(command.format(name).split(), _session(redis_url))
    assert code == ExitCode.OK, capsys.readouterr().err


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", ["r/real", "r/x86_64/real"])
def test_the_queue_takes_its_longer_forms_too(
    redis_url: str, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    capsys.readouterr()
    assert run(["queue", "show", name], _session(redis_url)) == ExitCode.OK
    assert capsys.readouterr().out.startswith("r/x86_64/folder (job ")


@pytest.mark.usefixtures("world")
def test_a_log_is_looked_for_under_the_name_of_the_folder(
    redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["logs", "real"], _session(redis_url)) == ExitCode.FAILED
    assert "there is no log of r/x86_64/folder" in capsys.readouterr().err


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("command", [*COMMANDS, "logs {}"])
def test_what_is_nearly_right_is_told(
    redis_url: str, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    capsys.readouterr()
    assert run(command.format("toool").split(), _session(redis_url)) == ExitCode.FAILED
    assert "Did you mean tool?" in capsys.readouterr().err


@pytest.mark.usefixtures("world")
def test_a_package_that_is_not_queued_is_known_to_why(
    redis_url: str, queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.reset()
    assert run(["why", "toool"], _session(redis_url)) == ExitCode.FAILED
    assert "Did you mean tool?" in capsys.readouterr().err


def test_a_folder_of_that_name_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for folder, pkgbase in (("a", "b"), ("b", "b"), ("c", "x"), ("d", "x"), ("e", "y")):
        (tmp_path / folder / "deep").mkdir(parents=True)
        (tmp_path / folder / ".SRCINFO").write_text(srcinfo(pkgbase, names=(f"{pkgbase}-bin",)))
    below = tmp_path / "e" / "deep"
    assert folder_of("b", below) is None
    assert folder_of("x", below) is None  # of two folders
    assert folder_of("y", below) == folder_of("y-bin", below) == "e"
    assert as_folders(["y", "e", "b", "none"], below) == ("e", "b", "none")
    assert known_names(below) == {"a", "b", "c", "d", "e", "x", "y"}


def test_outside_of_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert folder_of("a", tmp_path) is None
    assert known_names(tmp_path) == set()
