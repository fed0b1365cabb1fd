"""Fixtures of pushing to the AUR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.caur_ci.pipeline.aur_pushing.world import AurWorld
from tests.support.git import Checkout

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.aur_ssh import AurSsh


@pytest.fixture
def world(aur: AurSsh, tmp_path: Path) -> AurWorld:
    """A repository without packages, and an AUR without any."""
    return AurWorld(Checkout.create(tmp_path / "world"), aur)
