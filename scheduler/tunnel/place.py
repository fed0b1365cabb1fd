"""The private folder that the near end of a tunnel is in."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from caur_ci.locks import locked, try_lock
from scheduler.private import make_private

# ssh takes nothing else literally, and the path has to fit into a socket's address.
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._-]{1,50}")
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class TunnelFolder:
    """A folder that is ours until the process ends."""

    folder: Path
    lock: int

    @classmethod
    def create(cls) -> TunnelFolder:
        """Make one, and remove those of processes that were killed."""
        base = _runtime_folder()
        make_private(base, "SSH tunnels")
        with locked(base / _LOCK):
            for leftover in base.iterdir():
                _remove_if_abandoned(leftover)
            folder = base / secrets.token_hex(4)
            folder.mkdir(mode=0o700)
            lock = try_lock(folder / _LOCK)
        assert lock is not None, folder  # noqa: S101 - nobody else knows its name
        return cls(folder, lock)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)


def _remove_if_abandoned(folder: Path) -> None:
    with suppress(OSError):  # its owner may be removing it
        if folder.is_dir() and (lock := try_lock(folder / _LOCK)) is not None:
            os.close(lock)
            shutil.rmtree(folder)


def _runtime_folder() -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    if _PLAIN_PATH.fullmatch(given) and os.access(given, os.W_OK):
        return Path(given) / "caur-ci-tunnels"
    return Path(f"/tmp/caur-ci-tunnels-{os.getuid()}")  # noqa: S108 - checked for its owner
