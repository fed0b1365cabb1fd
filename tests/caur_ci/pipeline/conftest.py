"""Fixtures of the journeys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """An empty bare repository."""
    return ObjectStore.create(tmp_path / "store.git")


@pytest.fixture(autouse=True)
def _children(lent_children: None) -> None:
    """Start no process for each journey."""
