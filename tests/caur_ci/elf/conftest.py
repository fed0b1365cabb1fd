"""A compiler for what is read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.compiling import Compiler
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def compiler(tmp_path: Path) -> Compiler:
    need_tools("gcc", "g++")
    return Compiler(tmp_path)


@pytest.fixture(scope="module")
def module_compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    need_tools("gcc", "g++")
    return Compiler(tmp_path_factory.mktemp("compiled"))
