"""Folders that nobody else on the machine can look into."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from pathlib import Path


_HINT = "Set CAUR_STATE_DIR to a folder that you may write to."


def make_private(folder: Path, purpose: str, *, hint: str = _HINT) -> None:
    """Make `folder`, or see that an existing one belongs to us alone.

    `purpose` and `hint` are for errors.

    Raises CaurError.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise CaurError(
            f"the folder {folder} for {purpose} cannot be made: {error.strerror}",
            hint=hint,
        ) from error
    if not folder.is_dir() or folder.is_symlink() or status.st_uid != os.getuid():
        raise CaurError(f"{folder} is in the way of {purpose}: it is not a folder of this user")
    if status.st_mode & 0o077:
        folder.chmod(0o700)
