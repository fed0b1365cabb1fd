"""Describes the packages that a build has made, and takes out of them what they must not have."""

from __future__ import annotations

import itertools
import os
import re
import secrets
from typing import TYPE_CHECKING

from scheduler.files import copy_regular_file, open_regular_file
from scheduler.landing import DeliveredFile
from scheduler.result.allowance import Allowance
from scheduler.result.archive import read_contents, write_with_pkginfo
from scheduler.result.errors import BadPackageError
from scheduler.result.metadata import without_prohibited

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.result.archive import Contents

MAX_FILES = 2000
# Packages or not.
MAX_ENTRIES = 10_000
_SHOWN = 20
_MARK = ".pkg.tar"
# What pacman's rules for names and versions leave, so that no name means anything to anybody else.
_NAME = re.compile(r"[A-Za-z0-9@_+][A-Za-z0-9@._+:~^,-]*\.pkg\.tar(\.(?:bz2|gz|lz4|xz|zst))?")
_MAX_NAME = 250
_LONGEST_LINE = 200


def sanitize_and_describe_packages(
    output: Path,
    *,
    allow_prohibited: bool,
    say: Callable[[str], None],
    allowance: Allowance | None = None,
) -> tuple[DeliveredFile, ...]:
    """Return what is in the folder `output`, in which nothing of the build may run any more.

    The fields `replaces` and `group` are taken out of packages, in place, unless
    `allow_prohibited`. What else is worth knowing goes to `say`.

    Raises BadPackageError and NotAFileError for what no build should leave, CaurError and OSError
    for trouble of our own, and what the `check` of `allowance` raises.
    """
    allowance = allowance or Allowance()
    names = _names(output)
    packages = [name for name in names if _MARK in name and not name.endswith(".sig")]
    if len(packages) > MAX_FILES:
        raise BadPackageError(f"the build made {len(packages)} packages; {MAX_FILES} are allowed")
    others = sorted(set(names) - set(packages))
    for name in others[:_SHOWN]:
        say(f"{name!a} is no package and is not delivered")
    if len(others) > _SHOWN:
        say(f"… nor are {len(others) - _SHOWN} others")
    return tuple(
        _describe(output / name, allow_prohibited=allow_prohibited, say=say, allowance=allowance)
        for name in packages
    )


def _names(output: Path) -> list[str]:
    with os.scandir(output) as found:
        names = sorted(entry.name for entry in itertools.islice(found, MAX_ENTRIES + 1))
    if len(names) > MAX_ENTRIES:
        raise BadPackageError(f"the build left more than {MAX_ENTRIES} files beside its packages")
    return names


def _describe(
    path: Path, *, allow_prohibited: bool, say: Callable[[str], None], allowance: Allowance
) -> DeliveredFile:
    match = _NAME.fullmatch(path.name)
    if match is None or len(path.name) > _MAX_NAME:
        raise BadPackageError(f"{path.name!a} cannot be the name of a package file")
    suffix = match[1] or ""
    try:
        with open_regular_file(path) as stream:
            allowance.take_packed(os.fstat(stream.fileno()).st_size)
            contents = read_contents(stream, suffix, allowance)
        if not allow_prohibited:
            _remove_prohibited(path, suffix, contents, say, allowance)
    except BadPackageError as error:
        raise BadPackageError(f"{path.name}: {error.message}") from error
    if contents.elf_left_out:
        say(f"{path.name}: the sonames of {contents.elf_left_out} ELF files are not recorded")
    digest = copy_regular_file(path)
    return DeliveredFile(
        name=path.name, size=digest.size, sha256=digest.sha256, elf=tuple(contents.elf)
    )


def _remove_prohibited(
    path: Path, suffix: str, contents: Contents, say: Callable[[str], None], allowance: Allowance
) -> None:
    pkginfo, gone = without_prohibited(contents.pkginfo)
    if not gone:
        return
    fresh = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with open_regular_file(path) as source, fresh.open("xb") as target:
            write_with_pkginfo(
                source, target, suffix, contents=contents, pkginfo=pkginfo, allowance=allowance
            )
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)
    shown = ", ".join(repr(line[:_LONGEST_LINE]) for line in gone[:_SHOWN])
    say(
        f"{path.name}: removed {shown}{', …' if len(gone) > _SHOWN else ''} from .PKGINFO "
        "(BUILDER_ALLOW_PROHIBITED keeps such fields)"
    )
