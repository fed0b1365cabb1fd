"""Locks between processes, on files and on folders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caur_ci.locks import locked, try_lock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["file", "folder", "new"])
def test_one_holds_it_at_a_time(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.touch()

    with locked(path):
        assert try_lock(path) is None

    held = try_lock(path)
    assert held is not None
    assert try_lock(path) is None
    os.close(held)
