"""Fixtures of the commands."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _children(lent_children: None) -> None:
    """Start no process for each command."""
