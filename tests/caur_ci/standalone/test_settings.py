"""What the workers of a run are told, and which builds they are handed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from caur_ci.standalone.settings import Setting, usual_executor
from caur_ci.standalone.signing import SigningHome
from caur_ci.standalone.workdir import WorkDir
from scheduler.settings import ExecutorKind

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(
        work=WorkDir(tmp_path / "work"),
        signing=SigningHome(tmp_path / "gnupg"),
        sources=frozenset({"source"}),
        targets=frozenset({"repo"}),
        source_url="file:///source.git",
        executor=ExecutorKind.HOST,
        repo_path=tmp_path / "www",
        target_architectures=("x86_64", "aarch64"),
        servers=("https://example.org/$repo/$arch",),
    )


def test_builds_find_what_is_new_here_and_all_else_where_readers_do(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"name": "other", "servers": ["https://example.com"]}
    given = {"repo": {"extra_repos": [{"name": "repo", "servers": ["https://old"]}, other]}}
    monkeypatch.setenv("PACKAGE_TARGET_REPOS", json.dumps(given))

    target = json.loads(setting.environment()["PACKAGE_TARGET_REPOS"])["repo"]

    servers = [f"file://{tmp_path}/www/$repo/$arch", "https://example.org/$repo/$arch"]
    assert target["extra_repos"] == [{"name": "repo", "servers": servers}, other]
    assert target["keys"] == [str(tmp_path / "www/repo/repo.asc")]
    assert target["architectures"] == ["x86_64", "aarch64"]


def test_no_secret_and_no_queue_of_others_is_handed_on(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GPG_PRIVATE_KEY", "ACCESS_TOKEN", "REDIS_HOST", "DATABASE_HOST", "BUILDER_KEY"):
        monkeypatch.setenv(name, "of-others")

    environment = setting.environment()

    assert "of-others" not in environment.values()
    assert environment["CAUR_STATE_DIR"] == str(setting.work.state)


def test_names_are_portable_where_the_target_needs_it_and_nobody_says_otherwise(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    portable = replace(setting, portable_names=True)
    assert "REPO_PORTABLE_NAMES" not in setting.environment()
    assert portable.environment()["REPO_PORTABLE_NAMES"] == "true"
    monkeypatch.setenv("REPO_PORTABLE_NAMES", "false")
    assert portable.environment()["REPO_PORTABLE_NAMES"] == "false"


def test_containers_are_used_where_there_are_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert usual_executor({}) is ExecutorKind.HOST
    (tmp_path / "podman").touch(mode=0o755)
    assert usual_executor({}) is ExecutorKind.CONTAINER
    assert usual_executor({"BUILDER_EXECUTOR": "host"}) is ExecutorKind.HOST
    with pytest.raises(ConfigError, match="BUILDER_EXECUTOR"):
        usual_executor({"BUILDER_EXECUTOR": "moon"})
