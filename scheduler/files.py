"""Files that somebody else may have made: read them only if they are what they seem."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1024 * 1024


class NotAFileError(InputError):
    """A link, a device or a second name of a file where a plain file was expected."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What identifies the content of a file."""

    size: int
    sha256: str


def copy_regular_file(source: Path, destination: Path | None = None) -> Digest:
    """Read a file, into the new file `destination` if given, and return what was read.

    Raises NotAFileError and OSError.
    """
    digest = hashlib.sha256()
    size = 0
    with open_regular_file(source) as reader, _writer(destination) as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if writer is not None:
                writer.write(chunk)
    return Digest(size, digest.hexdigest())


def hash_file(path: Path) -> Digest:
    """Return what identifies the content of a file of our own. Raises OSError."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return Digest(stream.tell(), digest.hexdigest())


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file of our own a second name; where the file system cannot, make a second file.

    Raises FileExistsError and other OSErrors.
    """
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        # Not to be seen before it is whole.
        fresh = target.with_name(f".{target.name}.new")
        shutil.copy2(source, fresh)
        fresh.rename(target)


@contextmanager
def open_regular_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is nothing but a file. Raises NotAFileError and OSError."""
    try:
        # Not to hang on a pipe that waits for a writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags)
    except OSError as error:
        if path.is_symlink():
            raise NotAFileError(f"{path.name!a} is a link, not a file") from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(descriptor)
        raise NotAFileError(f"{path.name!a} is not a file of its own")
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


@contextmanager
def _writer(destination: Path | None) -> Iterator[BinaryIO | None]:
    if destination is None:
        yield None
        return
    with destination.open("xb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Make what was created in or renamed into `folder` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(folder: Path) -> None:
    """Remove `folder` if it exists, also where the build took away its own right to do so."""
    if not folder.exists():
        return
    with suppress(OSError):
        shutil.rmtree(folder)
        return
    # Go's module cache is made of read-only folders, and makepkg leaves some that are closed.
    folder.chmod(0o700)
    for path, folders, _ in os.walk(folder):
        for name in folders:
            if not (inner := Path(path, name)).is_symlink():
                inner.chmod(0o700)  # before os.walk looks into it
    shutil.rmtree(folder, ignore_errors=True)
