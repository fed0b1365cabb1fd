"""Files that somebody else may have made: read them only if they are what they seem."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import secrets
import shutil
import stat
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1024 * 1024
# How many names of a folder are known at once while it is removed.
_AT_ONCE = 10_000


class NotAFileError(InputError):
    """A link, a device or a second name of a file where a plain file was expected."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What identifies the content of a file."""

    size: int
    sha256: str


def copy_regular_file(
    source: Path, destination: Path | None = None, *, second_names: bool = False
) -> Digest:
    """Read a file, into the new file `destination` if given, and return what was read.

    It may have other names as well only with `second_names`. Raises NotAFileError and OSError.
    """
    with (
        open_regular_file(source, second_names=second_names) as reader,
        _writer(destination) as writer,
    ):
        return copy_stream(reader, writer)


def copy_stream(
    reader: BinaryIO, writer: BinaryIO | None = None, *, largest: int | None = None
) -> Digest:
    """Read all of a file, into another one if given, and return what was read.

    Of what is larger than `largest` bytes, one byte more is read. Raises OSError.
    """
    digest = hashlib.sha256()
    size = 0
    end = sys.maxsize if largest is None else largest + 1
    while chunk := reader.read(min(_CHUNK, end - size)):
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
def open_regular_file(
    path: Path, *, dir_fd: int | None = None, second_names: bool = False
) -> Iterator[BinaryIO]:
    """Open a file that is nothing but a file, and has no other names unless `second_names`.

    `path` is below the open folder `dir_fd` where that is given; its last part is not followed.
    Raises NotAFileError and OSError.
    """
    try:
        # Not to hang on a pipe that waits for a writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, dir_fd=dir_fd)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotAFileError(f"{path.name!a} is a link, not a file") from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (status.st_nlink != 1 and not second_names):
        os.close(descriptor)
        raise NotAFileError(f"{path.name!a} is not a file of its own")
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


@contextmanager
def open_folder(
    path: Path | str, *, dir_fd: int | None = None, follow: bool = False
) -> Iterator[int]:
    """Open a folder, below the open folder `dir_fd` where that is given.

    A link is no folder, unless `follow`. Raises OSError.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


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
    with open_folder(folder, follow=True) as descriptor:
        os.fsync(descriptor)


def make_public_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, which everybody may look into.

    The umask does not matter. Raises OSError.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        each.chmod(0o755)


def remove_tree(folder: Path) -> None:
    """Remove `folder` with all that is in it, if it exists; of a link, only the link.

    However deep it is, and also where the build took away its own right to do so. What cannot be
    removed all the same stays, and is no error.
    """
    try:
        top = _open_to_clear(os.fspath(folder))
    except FileNotFoundError:
        return
    except NotADirectoryError:
        folder.unlink(missing_ok=True)
        return
    except OSError:
        return
    try:
        _clear(top)
    finally:
        os.close(top)
    with suppress(OSError):
        folder.rmdir()


def remove_entry(name: str, *, dir_fd: int) -> None:
    """Remove a file, a link or a folder with all that is in it from the open folder `dir_fd`.

    As `remove_tree`, but raises OSError for what cannot be removed.
    """
    try:
        top = _open_to_clear(name, dir_fd)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=dir_fd)
        return
    try:
        _clear(top)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=dir_fd)


def _clear(top: int) -> None:
    """Remove what is in the folder `top`.

    Folders further down are moved up into it first. So no path is too long, no recursion too deep
    and no two levels need to be open at once, and no link can lead anywhere else.
    """
    names = (f".caur-ci-{secrets.token_hex(8)}-{number}" for number in itertools.count())
    while batch := _entries(top):
        removed = 0
        for name, is_folder in batch:
            with suppress(OSError):
                removed += _clear_folder(top, name, names) if is_folder else _unlink(top, name)
        if not removed:
            return


def _clear_folder(top: int, name: str, names: Iterator[str]) -> int:
    """Remove a folder in `top`, and move those in it to `top`; return how much that changed."""
    changed = 0
    inner = _open_to_clear(name, top)
    try:
        while batch := _entries(inner):
            before = changed
            for entry, is_folder in batch:
                with suppress(OSError):
                    changed += (
                        _move_up(inner, entry, top, names) if is_folder else _unlink(inner, entry)
                    )
            if changed == before:
                return changed
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)
    return changed + 1


def _entries(folder: int) -> list[tuple[str, bool]]:
    """Return some of what is in a folder, and whether it is a folder itself."""
    with os.scandir(folder) as found:
        return [
            (entry.name, entry.is_dir(follow_symlinks=False))
            for entry in itertools.islice(found, _AT_ONCE)
        ]


def _unlink(folder: int, name: str) -> int:
    os.unlink(name, dir_fd=folder)
    return 1


def _move_up(folder: int, name: str, top: int, names: Iterator[str]) -> int:
    # A folder that is moved gets another parent, which needs the right to write to it.
    os.close(_open_to_clear(name, folder))
    os.rename(name, next(names), src_dir_fd=folder, dst_dir_fd=top)
    return 1


def _open_to_clear(name: str, folder: int | None = None) -> int:
    """Open a folder that is no link, with the right to list and to change it."""
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags | os.O_PATH, dir_fd=folder)
    try:
        if os.fstat(handle).st_mode & 0o700 != 0o700:
            # Go's module cache is made of read-only folders, and makepkg leaves closed ones.
            with suppress(OSError):
                os.chmod(f"/proc/self/fd/{handle}", 0o700)  # noqa: PTH101 - an open file
        return os.open(".", flags | os.O_RDONLY, dir_fd=handle)
    finally:
        os.close(handle)
