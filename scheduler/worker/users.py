"""Who builds run as: never root, and as root each worker its own user that owns nothing else."""

from __future__ import annotations

import os
import pwd
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError, TemporaryError
from caur_ci.locks import try_lock
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

# The range that systemd sets aside for users that exist while a service runs.
_FIRST_UID, _LAST_UID = 61184, 65519
_SYSTEMD_UIDS = Path("/run/systemd/dynamic-uid")
# One place for the whole machine: workers that took the same user id would end each other.
_UID_LOCKS = Path("/run/caur-ci/users")


@dataclass(frozen=True, slots=True)
class BuildUser:
    """The user of a worker's builds. With `exclusive`, all processes of that user are builds."""

    uid: int
    gid: int
    exclusive: bool = False

    @property
    def is_other(self) -> bool:
        """Whether this process has to change its user for a build."""
        return self.uid != os.geteuid()

    def give(self, path: Path) -> None:
        """Make the user the owner of `path` and, if it is a folder, of everything in it.

        For what nobody else has had in his hands yet: it has to be of ordinary depth.
        """
        if not self.is_other:
            return
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        if path.is_dir() and not path.is_symlink():
            for _, folders, files, folder in os.fwalk(path, follow_symlinks=False):
                for name in (*folders, *files):
                    os.chown(name, self.uid, self.gid, dir_fd=folder, follow_symlinks=False)

    def can_reach(self, folder: Path) -> bool:
        """Tell whether the user may pass through `folder` and everything above it."""
        if not self.is_other:
            return True
        return all(self._may_pass(part) for part in (folder, *folder.parents))

    def can_read(self, file: Path) -> bool:
        """Tell whether the user may read a file, as far as anybody can find it."""
        return file.is_file() and self.can_reach(file.parent) and self._may(4, file)

    def _may_pass(self, folder: Path) -> bool:
        return self._may(1, folder)

    def _may(self, right: int, path: Path) -> bool:
        """Tell whether the user has a right, by the number that it has for others."""
        status = path.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & right << 6)
        return bool(status.st_mode & (right << 3 if status.st_gid == self.gid else right))

    def end_processes(self) -> None:
        """Kill everything that runs as this user, where nothing but builds does."""
        if not (self.exclusive and self.is_other):
            return
        identity = ["--reuid", str(self.uid), "--regid", str(self.gid), "--clear-groups"]
        # As that user, -1 is all its processes at once; 1 says that there were none.
        run(["setpriv", *identity, "--", "bash", "-c", "kill -KILL -1"], allowed=(0, 1))


@contextmanager
def build_user(name: str = "") -> Iterator[BuildUser]:
    """Provide the user for one worker's builds, for as long as the worker runs.

    An ordinary user builds as itself. Root builds as the account `name`, or else as a user id
    that nobody has. Raises ConfigError when that cannot be done.
    """
    if os.geteuid() != 0:
        yield BuildUser(os.geteuid(), os.getegid())
    elif name:
        yield _account(name)
    else:
        uid, lock = _take_uid()
        try:
            yield BuildUser(uid, uid, exclusive=True)
        finally:
            os.close(lock)


def _account(name: str) -> BuildUser:
    try:
        account = pwd.getpwnam(name)
    except KeyError as error:
        raise ConfigError(
            f"BUILDER_USER: there is no user {name!r} on this machine",
            hint="Create it, or leave BUILDER_USER empty: builds then run as an unused user id.",
        ) from error
    if account.pw_uid == 0:
        raise ConfigError("BUILDER_USER: builds never run as root")
    return BuildUser(account.pw_uid, account.pw_gid)


def _take_uid() -> tuple[int, int]:
    try:
        _UID_LOCKS.mkdir(parents=True, exist_ok=True, mode=0o755)
    except OSError as error:
        raise ConfigError(
            f"no user ids can be shared out between workers: {error}",
            hint="Set BUILDER_USER to an account that only builds of this worker run as.",
        ) from error
    running = _uids_with_processes()
    # Containers may share user ids with this machine, and no locks: nobody begins at the same one.
    uids = [*range(_FIRST_UID, _LAST_UID + 1)]
    begin = secrets.randbelow(len(uids))
    for uid in (*uids[begin:], *uids[:begin]):
        if uid in running or _is_known(uid):
            continue
        lock = try_lock(_UID_LOCKS / str(uid))
        if lock is not None:
            return uid, lock
    raise TemporaryError("every user id set aside for builds is taken on this machine")


def _is_known(uid: int) -> bool:
    if (_SYSTEMD_UIDS / str(uid)).exists():
        return True
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _uids_with_processes() -> set[int]:
    uids = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                uids.add(folder.stat().st_uid)
            except FileNotFoundError:
                continue
    return uids
