"""What every test may rely on: a home of its own, no forge, no stray settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_LEFT_OUT = ("CI", "BUILDER_", "CAUR_STATE_DIR", "GITHUB_", "GITLAB_", "GIT_", "REDIS_", "PACKAGE_")
_GIT_CONFIG = """\
[user]
    name = Tester
    email = tester@example.org
[init]
    defaultBranch = main
[protocol "file"]
    allow = always
[gc]
    auto = 0
"""


@pytest.fixture(autouse=True)
def private_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the user's home and the surrounding pipeline out of the tests."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
    for name in [name for name in os.environ if name.startswith(_LEFT_OUT)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    return home
