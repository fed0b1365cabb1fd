"""What is wrong with a call is said, with what to do about it; it is never a bug of ours."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.environment import Secrets
from caur_ci.errors import ExitCode
from tests.support.git import Checkout, srcinfo
from tests.support.queue import job, submit

if TYPE_CHECKING:
    from scheduler.queue import Queue

NO_REPOSITORY = "is not in a git repository"
UNREADABLE = "No such file or directory"

WRONG = (
    ("on-commit --repo {empty}", NO_REPOSITORY),
    ("on-commit --repo {file}", NO_REPOSITORY),
    ("on-commit --repo {repo} --remote nope", "has no remote 'nope'"),
    ("on-schedule --repo {empty}", NO_REPOSITORY),
    ("on-schedule --repo {repo} --dry-run --force --replay {empty}/x", UNREADABLE),
    ("on-schedule --repo {repo} --dry-run --force --record {file}", "cannot be written"),
    ("schedule --from {empty}/x", UNREADABLE),
    ("schedule --from {file}", "is not JSON"),
    ("schedule --from {empty}", "Is a directory"),
    ("schedule a --repo {repo} --commit xyz", "expected SHA or SHA:PIPELINE"),
    ("schedule a --repo {repo} --arch-mirror nonsense", "not the address of a mirror"),
    ("schedule a --repo {repo} --arch-mirror https://x/$repo\nServer=y", "not the address"),
    ("auto-repo-remove --target-repo r --remove -x/y", "cannot be the name of a package"),
    ("deptree --repo {empty}", NO_REPOSITORY),
    ("deptree --repo {repo} --commit nope", "nope is no commit"),
    ("srcinfo --repo {empty}/x", UNREADABLE),
    ("worker --config {file}", "is no TOML file"),
    ("worker --config {empty}/x", UNREADABLE),
    ("worker --class -1", "BUILDER_CLASS='-1' does not fit"),
    ("worker --executor tent", "BUILDER_EXECUTOR='tent' does not fit"),
    ("worker --shared {file}/x --executor host --idle-exit 0", "cannot be used for builds"),
    ("database --config {file}", "is no TOML file"),
    ("status --redis http://x", "is not the address of a Redis server"),
    ("logs a --json", "--json goes with --list"),
    ("queue retry", "name packages, or say --failed or --all"),
    ("queue drain", "say which workers"),
    ("queue backup {empty}/x/y", UNREADABLE),
    ("queue backup {full}", "cannot be written: No space left on device"),
    ("queue restore {empty}", "Is a directory"),
    ("queue restore {file}", "line 1 is not JSON"),
    ("queue import {empty}/x", UNREADABLE),
    ("repo history --repo-path {empty}", "nothing is published in"),
    ("repo history --repo-path {empty} --arch ../x", "cannot be the name of an architecture"),
    ("reconcile --repo {empty}", NO_REPOSITORY),
    ("reconcile --repo {repo} --database ftp://x/y.db", "with http and https only"),
    ("demo --output {repo}", "is not empty"),
)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Return a repository, an empty folder, a file of nonsense, and a full disk."""
    checkout = Checkout.create(tmp_path / "world")
    config = "REPO_NAME=r\nBUILD_REPO=r\n"
    checkout.commit("x", {"a/PKGBUILD": "1", "a/.SRCINFO": srcinfo("a"), ".ci/config": config})
    full = tmp_path / "full"
    full.symlink_to("/dev/full")  # as itself it would be at risk
    empty, file = tmp_path / "empty", tmp_path / "file"
    empty.mkdir()
    file.write_text("= [ nonsense\n")
    return {"repo": checkout.folder, "empty": empty, "file": file, "full": full}


@pytest.fixture
def _settings(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_HOST", "")
    monkeypatch.setenv("PACKAGE_REPOS", '{"r": {"url": "https://repo.example"}}')
    monkeypatch.setenv("PACKAGE_TARGET_REPOS", '{"r": {}}')
    monkeypatch.setenv("LANDING_ZONE_PATH", str(tmp_path / "landing"))


@pytest.mark.usefixtures("_settings", "queue")
@pytest.mark.parametrize(("command", "said"), WRONG, ids=[command for command, _ in WRONG])
def test_it_is_said(
    places: dict[str, Path],
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    command: str,
    said: str,
) -> None:
    arguments = [word.format(**places) for word in command.split(" ")]
    session = Session(secrets=Secrets({"REDIS_URL": redis_url}))
    assert run(arguments, session) == ExitCode.FAILED
    shown = capsys.readouterr()
    assert "error: " in shown.err
    assert said in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    ("command", "said", "hint"),
    [
        ("queue list --state foo", "'--state': 'foo' is not one of 'active'", "queue list"),
        ("schedule --on-failure foo", "'foo' is not one of 'proceed', 'hold'", "schedule"),
        ("deptree --reppo .", "--repo", "deptree"),
        ("statsu", "Did you mean 'status'?", ""),
        ("queue show", "Missing argument 'PACKAGE'", "queue show"),
        ("status --limit x", "valid integer", "status"),
    ],
)
def test_wrong_usage_is_told_with_the_help_to_look_at(
    capsys: pytest.CaptureFixture[str], command: str, said: str, hint: str
) -> None:
    assert run(command.split(), Session()) == ExitCode.USAGE
    shown = capsys.readouterr().err
    assert said in shown
    assert f"hint: See `{f'caur-ci {hint}'.strip()} --help`." in shown


def test_a_backup_never_takes_the_place_of_a_device(
    queue: Queue, redis_url: str, tmp_path: Path
) -> None:
    submit(queue, job("a"))
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    assert run(["queue", "backup", str(link), "--redis", redis_url], Session()) == ExitCode.OK
    assert link.is_symlink()
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
