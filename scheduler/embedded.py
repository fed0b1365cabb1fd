"""The embedded Redis: a private server for one state folder, shared by its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def ensure(state_dir: Path) -> str:
    """Return the URL of the server of `state_dir`, started if it is not running."""
    raise NotImplementedError


def stop(state_dir: Path, *, timeout: float = 10.0) -> bool:
    """End the server of `state_dir`, its data kept. Tells whether one was running."""
    raise NotImplementedError
