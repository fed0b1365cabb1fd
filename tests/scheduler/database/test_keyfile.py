"""The key of a repository, for readers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import CaurError
from caur_ci.process import run
from scheduler.database.keyfile import publish_key
from scheduler.database.signing import Signer
from tests.support.packages import signing_key
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path


def test_the_key_that_signs_is_the_one_that_is_published(tmp_path: Path) -> None:
    need_tools("gpg")
    before = os.umask(0o077)
    try:
        with signing_key() as key:
            path = publish_key(tmp_path / "http", "repo", Signer(key.home).public_key())
    finally:
        os.umask(before)
    assert path == tmp_path / "http" / "repo" / "repo.asc"
    assert path.stat().st_mode & 0o777 == 0o644
    shown = run(["gpg", "--batch", "--with-colons", "--show-keys", path]).stdout.decode()
    assert key.fingerprint in shown
    assert "sec" not in [line.partition(":")[0] for line in shown.splitlines()]


def test_another_key_takes_its_place(tmp_path: Path) -> None:
    publish_key(tmp_path, "repo", b"one")
    path = publish_key(tmp_path, "repo", b"other")
    assert path.read_bytes() == b"other"
    assert [each.name for each in path.parent.iterdir()] == ["repo.asc"]


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "repo").touch()
    with pytest.raises(CaurError, match=r"repo\.asc cannot be written"):
        publish_key(tmp_path, "repo", b"key")
