"""The public key of a repository, for readers: `REPO_PATH/R/R.asc`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.names import check_repository_name

if TYPE_CHECKING:
    from pathlib import Path

_READABLE = 0o644


def publish_key(root: Path, repository: str, key: bytes) -> Path:
    """Write the key (as GnuPG exports it with --armor) beside the architectures; return the file.

    Raises CaurError where that cannot be done.
    """
    home = root / check_repository_name(repository)
    path = home / f"{repository}.asc"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == key:
            return path
        fresh = home / f".{repository}.asc.new"
        fresh.write_bytes(key)
        fresh.chmod(_READABLE)
        os.replace(fresh, path)  # noqa: PTH105 - in one step
    except OSError as error:
        raise CaurError(f"{path} cannot be written: {error.strerror}") from error
    return path
