"""Describes the packages that a build has made, and takes out of them what they must not have."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from scheduler.files import copy_regular_file, open_regular_file
from scheduler.landing import DeliveredFile
from scheduler.result.archive import read_contents, write_with_pkginfo
from scheduler.result.errors import BadPackageError
from scheduler.result.metadata import without_prohibited

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.result.archive import Contents

MAX_FILES = 2000
_MARK = ".pkg.tar"
# What pacman's rules for names and versions leave, so that no name means anything to anybody else.
_NAME = re.compile(r"[A-Za-z0-9@_+][A-Za-z0-9@._+:~^,-]*\.pkg\.tar(\.(?:bz2|gz|lz4|xz|zst))?")
_MAX_NAME = 250


def describe_packages(
    output: Path, *, allow_prohibited: bool, say: Callable[[str], None]
) -> tuple[DeliveredFile, ...]:
    """Return what is in the folder `output`, in which nothing of the build may run any more.

    The fields `replaces` and `group` are taken out of packages, in place, unless
    `allow_prohibited`. What else is worth knowing goes to `say`.

    Raises BadPackageError and NotAFileError for what no build should leave, CaurError and OSError
    for trouble of our own.
    """
    names = sorted(path.name for path in output.iterdir())
    packages = [name for name in names if _MARK in name and not name.endswith(".sig")]
    if len(packages) > MAX_FILES:
        raise BadPackageError(f"the build made {len(packages)} packages; {MAX_FILES} are allowed")
    for name in names:
        if name not in packages:
            say(f"{name!a} is no package and is not delivered")
    return tuple(
        _describe(output / name, allow_prohibited=allow_prohibited, say=say) for name in packages
    )


def _describe(path: Path, *, allow_prohibited: bool, say: Callable[[str], None]) -> DeliveredFile:
    match = _NAME.fullmatch(path.name)
    if match is None or len(path.name) > _MAX_NAME:
        raise BadPackageError(f"{path.name!a} cannot be the name of a package file")
    suffix = match[1] or ""
    try:
        with open_regular_file(path) as stream:
            contents = read_contents(stream, suffix)
        if not allow_prohibited:
            _remove_prohibited(path, suffix, contents, say)
    except BadPackageError as error:
        raise BadPackageError(f"{path.name}: {error.message}") from error
    if contents.elf_left_out:
        say(f"{path.name}: the sonames of {contents.elf_left_out} ELF files are not recorded")
    digest = copy_regular_file(path)
    return DeliveredFile(
        name=path.name, size=digest.size, sha256=digest.sha256, elf=tuple(contents.elf)
    )


def _remove_prohibited(
    path: Path, suffix: str, contents: Contents, say: Callable[[str], None]
) -> None:
    pkginfo, gone = without_prohibited(contents.pkginfo)
    if not gone:
        return
    fresh = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with open_regular_file(path) as source, fresh.open("xb") as target:
            write_with_pkginfo(source, target, suffix, contents, pkginfo)
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)
    say(
        f"{path.name}: removed {', '.join(repr(line) for line in gone)} from .PKGINFO "
        "(BUILDER_ALLOW_PROHIBITED keeps such fields)"
    )
