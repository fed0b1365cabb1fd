"""`caur-ci judge --history`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.git import GitRepository
from caur_ci.judge.history import updates
from tests.support.git import git
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from pathlib import Path


def commit(root: Path, subject: str, files: dict[str, dict[str, str]], day: int) -> None:
    for package, contents in files.items():
        for name, text in contents.items():
            path = root / package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    git(root, "add", "--all")
    date = f"2024-01-0{day}T00:00:00Z"
    git(root, "-c", "user.name=x", "commit", "--quiet", f"--message={subject}", f"--date={date}")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Return a repository with a harmless update, one for people, and what is no update."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, "feat: add", {name: files_of(name, "1-1") for name in "ab"}, 1)
    hostile = files_of("b", "2-1")
    hostile["PKGBUILD"] += "build() { eval x; }\n"
    commit(root, "chore(update): a, b", {"a": files_of("a", "2-1"), "b": hostile}, 2)
    commit(root, "chore(update): a", {"a": {".CI/config": "CI_PACKAGE_BUMP=1\n"}}, 3)
    commit(root, "chore(bump): a", {"a": files_of("a", "3-1")}, 4)
    commit(root, "chore(update): new", {"new": files_of("new", "1-1")}, 5)
    return root


def test_shares_and_codes_are_counted(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["judge", "--history", str(history), "--json"], Session())
    document = json.loads(capsys.readouterr().out)

    assert code == ExitCode.OK
    assert document["judged"] == 2
    assert document["verdicts"] == {"identical": 0, "minor": 1, "major": 1}
    assert (document["with_danger"], document["own_files_only"]) == (1, 1)
    assert document["codes"]["version-raised"] == 2
    assert document["codes"]["eval-used"] == 1
    assert {it["package"] for it in document["slowest"]} == {"a", "b"}


def test_people_get_a_table(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["judge", "--history", str(history), "--subject", "chore(bump)"], Session())

    out = capsys.readouterr().out
    assert "1 updates judged" in out
    assert "minor            1  100.0%" in out


def test_only_updates_since_a_day(history: Path) -> None:
    repository = GitRepository.open(history)

    assert [it.package for it in updates(repository)] == ["a", "a", "b"]
    assert updates(repository, since="2037-01-01") == []
