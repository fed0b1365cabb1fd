"""Git's configuration for one command."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from caur_ci.git.settings import as_environment, stored_login
from caur_ci.process import run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_settings_come_after_those_that_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in as_environment([("a.b", "given"), ("c.d", "1")]).items():
        monkeypatch.setenv(name, value)

    environment = as_environment([("a.b", "ours"), ("a.b", "twice")])
    got = run(["git", "config", "--get-all", "a.b"], environment=environment).stdout

    assert got.split() == [b"given", b"ours", b"twice"]
    assert run(["git", "config", "c.d"], environment=environment).stdout.strip() == b"1"


def test_git_finds_a_login_that_is_kept_in_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    with stored_login("me:p%40ss%2Fword", "https://example.org/a.git", folder) as settings:
        assert [stat.S_IMODE(it.stat().st_mode) for it in folder.iterdir()] == [0o600]
        answer = run(
            ["git", "credential", "fill"],
            stdin=b"protocol=https\nhost=example.org\n\n",
            environment={**as_environment(settings), "GIT_TERMINAL_PROMPT": "0"},
        ).stdout
    assert b"username=me\npassword=p@ss/word\n" in answer
    assert not list(folder.iterdir())
