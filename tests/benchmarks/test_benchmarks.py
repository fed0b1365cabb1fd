"""The benchmarks measure what they say, in repositories that are the same every time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from benchmarks import repositories
from benchmarks.generate import write_packages
from benchmarks.history import history_rows
from benchmarks.measure import BenchmarkError, measure
from benchmarks.rows import repository_rows
from benchmarks.schedule import schedule_rows
from benchmarks.validate import found_rows, validate_rows
from caur_ci.deptree import DependencyTree
from tests.support.git import git
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path


def srcinfo_files(folder: Path) -> dict[str, bytes | None]:
    return {path.parent.name: path.read_bytes() for path in folder.glob("*/.SRCINFO")}


def test_made_up_repositories_are_the_same_every_time_and_look_real(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_packages(tmp_path / name, 300)
    files = srcinfo_files(tmp_path / "one")
    assert files == srcinfo_files(tmp_path / "two")
    tree = DependencyTree.read(files)
    assert len(tree) == 300
    assert not tree.problems
    assert 300 < tree.edge_count() < 900
    assert any(len(tree.pkgnames(package)) > 1 for package in tree)


def test_each_row_runs_its_command_in_the_same_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_tools("git", "bash", "awk")
    monkeypatch.setattr(repositories, "CACHE", tmp_path / "cache")
    repository = repositories.generated(100)
    assert repository.packages == 100
    assert len(git(repository.clone, "diff", "--name-only", "HEAD~1").splitlines()) == 6
    rows = list(repository_rows(repository, repeat=1))
    assert [row.what.split()[0] for row in rows] == ["on-commit,", "deptree", "deptree", "deptree"]
    assert all(row.measured.cpu > 0 and row.measured.memory > 0 for row in rows)
    head = git(repository.clone, "rev-parse", "HEAD")
    assert git(repository.remote, "rev-parse", "scheduled") == head
    (validated,) = validate_rows(repository, repeat=1)
    assert validated.measured.cpu > 0
    # There is nothing but a comment in the PKGBUILDs: no version, no release, no name.
    assert found_rows(repository) == [("pkgbuild-refused", "300")]


def test_on_schedule_is_measured_where_nothing_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repositories, "CACHE", tmp_path / "cache")
    repository = repositories.generated(100)
    plain, followed = schedule_rows(repository, repeat=1)
    assert "93 from the AUR at" in plain.what
    assert re.search(r"93 from the AUR and [2-4][0-9] VCS packages at", followed.what)
    assert min(plain.measured.cpu, followed.measured.cpu) > 0
    # What is measured happens in a copy.
    assert git(repository.remote, "for-each-ref", "refs/heads/caur") == ""


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="ended with 3: oh"):
        measure(["sh", "-c", "echo oh >&2; exit 3"], cwd=tmp_path, repeat=1)


def test_logs_and_jobs_are_measured_to_their_end() -> None:
    rows = list(history_rows(log=200_000, jobs=500, packages=50))
    assert [what.split(",")[0] for what, _ in rows[:2]] == [
        "a log of 0 MB written",
        "a log of 0 MB moved to disk",
    ]
    assert len(rows) == 8
