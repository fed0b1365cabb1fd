"""A source repository, and a makepkg that builds it in next to no time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scheduler.files import remove_tree
from scheduler.settings import SourceRepository
from tests.support.git import Checkout
from tests.support.quick_makepkg import install_quick_makepkg

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.create(tmp_path / "source")


@pytest.fixture
def source(checkout: Checkout) -> SourceRepository:
    return SourceRepository(name="source", url=checkout.remote.as_uri())


@pytest.fixture(scope="session")
def quick_makepkg_folder() -> Iterator[Path]:
    """Return a folder that every user can get to; pytest's own are for their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="caur-makepkg-"))
    folder.chmod(0o711)
    yield install_quick_makepkg(folder)
    remove_tree(folder)


@pytest.fixture
def quick_makepkg(quick_makepkg_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let builds on this machine be those of a makepkg that looks for no mistakes in PKGBUILDs."""
    monkeypatch.setenv("PATH", f"{quick_makepkg_folder}:{os.environ['PATH']}")
