"""Users as containers and services have them: without a home, without a name."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from scheduler.connection import default_state_dir
from scheduler.settings.kinds import absolute
from scheduler.workerkeys import WorkerKey

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    for name in ("HOME", "CAUR_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_no_home_is_told_with_what_to_set() -> None:
    with pytest.raises(ConfigError, match="no home folder") as caught:
        default_state_dir()
    assert "CAUR_STATE_DIR" in caught.value.hint


def test_a_path_in_a_home_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="~/key begins with a home folder"):
        absolute("~/key")


def test_ssh_keygen_for_a_user_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "ssh-keygen"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'No user exists for uid 61183' >&2\nexit 255\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    with pytest.raises(ConfigError, match="a user without a name") as caught:
        WorkerKey.ensure(tmp_path / "key")
    assert "/etc/passwd" in caught.value.hint
