"""A source repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.settings import SourceRepository
from tests.support.git import Checkout

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.create(tmp_path / "source")


@pytest.fixture
def source(checkout: Checkout) -> SourceRepository:
    return SourceRepository(name="source", url=checkout.remote.as_uri())
