"""Files that come from a publishing target: whole, or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from scheduler.files import make_public_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def received(path: Path) -> Iterator[Path]:
    """Provide where to write a file that is put at `path` when the block ends without an error."""
    make_public_folder(path.parent)
    part = path.with_name(f"{path.name}.part")
    yield part
    part.replace(path)
