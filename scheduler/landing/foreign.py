"""A folder that others may write to: everything in it is reached by descriptors.

Whoever may write there can put a link in the place of a folder at any moment. So no path is
followed through it, and what is found there is looked at before it is believed.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from scheduler.files import (
    NotAFileError,
    open_folder,
    open_regular_file,
    remove_entry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# What whoever made an entry can bring about; anything else is trouble of this machine.
_FAULTS = frozenset(
    {errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ENODEV}
)
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class ForeignFolder:
    """An open folder; names are those of its direct entries."""

    descriptor: int

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Open the topmost one, which a setting names: that may be a link. Raises OSError."""
        with open_folder(path, follow=True) as descriptor:
            yield cls(descriptor)

    @contextmanager
    def folder(self, name: str) -> Iterator[Self]:
        """Open a folder in it. Raises NotAFileError and OSError."""
        with ExitStack() as stack:
            with _own_faults(name):
                inner = stack.enter_context(open_folder(name, dir_fd=self.descriptor))
            yield type(self)(inner)

    @contextmanager
    def own_folder(self, name: str) -> Iterator[Self]:
        """Open a folder in it that only this user may write to.

        Raises NotAFileError where it is somebody else's or no folder, and OSError.
        """
        with self.folder(name) as inner:
            status = os.fstat(inner.descriptor)
            if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
                raise NotAFileError(f"{name!a} is a folder that somebody else may write to")
            yield inner

    def make(self, name: str) -> None:
        """Make a folder in it. Raises OSError."""
        os.mkdir(name, 0o755, dir_fd=self.descriptor)
        with self.folder(name) as made:
            os.fchmod(made.descriptor, 0o755)

    def names(self) -> list[str]:
        """Return the names of all entries."""
        with os.scandir(self.descriptor) as entries:
            return sorted(entry.name for entry in entries)

    def status(self, name: str) -> os.stat_result:
        """Return what is known of an entry; a link is not followed. Raises OSError."""
        return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Open a file in it that is nothing but a file, and the folder's owner's.

        Raises NotAFileError and OSError.
        """
        with ExitStack() as stack:
            with _own_faults(name):
                opened = open_regular_file(Path(name), dir_fd=self.descriptor)
                stream = stack.enter_context(opened)
            owner = os.fstat(self.descriptor).st_uid
            if os.fstat(stream.fileno()).st_uid != owner:
                raise NotAFileError(f"{name!a} is not of the owner of its folder")
            yield stream

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a file. Raises NotAFileError, also beyond `limit`, and OSError."""
        with self.file(name) as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise NotAFileError(f"{name} is larger than {limit} bytes")
        return content

    @contextmanager
    def new_file(self, name: str) -> Iterator[BinaryIO]:
        """Make a file, which survives a loss of power once it is written. Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o644, dir_fd=self.descriptor)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o644)  # the runner may be another user
            yield stream
            stream.flush()
            os.fsync(descriptor)

    def sync(self) -> None:
        """Make what was created in it or renamed survive a loss of power."""
        os.fsync(self.descriptor)

    def move(self, name: str, other: ForeignFolder, new_name: str) -> None:
        """Bring an entry into another folder. Raises OSError."""
        os.rename(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=other.descriptor)

    def remove(self, name: str) -> None:
        """Remove an entry, whatever it is. Raises OSError."""
        remove_entry(name, dir_fd=self.descriptor)


@contextmanager
def _own_faults(name: str) -> Iterator[None]:
    """Raise NotAFileError for what keeps an entry from being opened and is its own fault."""
    try:
        yield
    except OSError as error:
        if error.errno in _FAULTS:
            raise NotAFileError(f"{name!a} cannot be opened: {error.strerror}") from error
        raise
