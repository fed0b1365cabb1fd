"""Who uploads from a folder: one process at a time, which a target knows again."""

from __future__ import annotations

import hashlib
import platform
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.locks import locked
from scheduler.database.layout import USUAL_ARCH, Layout
from scheduler.hosting.protocol import Uploader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = "uploader"


@contextmanager
def one_uploader(root: Path, repository: str, who: str) -> Iterator[Uploader]:
    """Wait until no other process uploads the repository below `root`, and keep others waiting.

    So whatever an uploader of this id has left at a target is of a process that is dead. A copy of
    the folder, on another machine or not, is another uploader.
    """
    path = Layout(root, repository, USUAL_ARCH).private.parent / _LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        secret = path.read_text(encoding="ascii").strip()
        if not secret:
            secret = uuid.uuid4().hex
            path.write_text(secret, encoding="ascii")
        where = f"{secret} {platform.node()} {path.resolve()}"
        digest = hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()
        yield Uploader(id=digest[:32], who=who or f"on {platform.node()}")
