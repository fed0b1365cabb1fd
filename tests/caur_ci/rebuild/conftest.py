"""A world of libraries, and a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.compiling import Compiler
from tests.support.linked_world import LinkedWorld
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> LinkedWorld:
    need_tools("bsdtar", "zstd")
    folder = tmp_path / "world"
    folder.mkdir()
    return LinkedWorld(folder)


@pytest.fixture
def compiler(tmp_path: Path) -> Compiler:
    need_tools("gcc", "g++")
    folder = tmp_path / "compiled"
    folder.mkdir()
    return Compiler(folder)
