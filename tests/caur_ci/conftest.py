"""Fixtures of the CI side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.git import Checkout, srcinfo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.git import Content


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository with packages a, b, c and c-git, its configuration, and the tag at HEAD."""
    made = Checkout.create(tmp_path / "world")
    files: dict[str, Content] = {".ci/config": "BUILD_REPO=source\nREPO_NAME=target\n"}
    for name in ("a", "b", "c", "c-git"):
        files |= {f"{name}/PKGBUILD": f"pkgname={name}\n", f"{name}/.SRCINFO": srcinfo(name)}
    made.commit("feat: begin", files)
    made.schedule_here()
    return made
