"""The update hook of the AUR's git repositories, as far as what it lets through is known.

Git starts it in front of each ref that is pushed; tests ask it without git as well. It reads
`.SRCINFO` with the AUR's own reader, and is as strict as the AUR, but for names of others.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srcinfo.parse import parse_srcinfo
from srcinfo.utils import get_merged_package

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BLOB = 500_000
_LENGTHS = {"pkgname": 255, "pkgdesc": 255, "url": 8000}
_NAME = re.compile(r"[a-z0-9][a-z0-9.+_-]*$")
# Of the few hundred that it knows.
_LICENCES = frozenset({"0BSD", "Apache-2.0", "GPL-2.0-only", "GPL-3.0-or-later", "MIT"})


def refusal(name: str, files: Mapping[str, int], srcinfo: bytes | None) -> str:
    """Return what the hook says of a commit with these files (sizes by path), nothing if it fits.

    `name` is that of the repository.
    """
    return next(iter(_refusals(name, files, srcinfo)), "")


def _refusals(name: str, files: Mapping[str, int], srcinfo: bytes | None) -> Iterator[str]:
    if srcinfo is None:
        yield "missing .SRCINFO"
        return
    metadata, errors = parse_srcinfo(srcinfo.decode())
    for error in errors:
        yield f"line {error['line']}: {error['error'][0]}"
    yield from _of_metadata(metadata, files)
    if "PKGBUILD" not in files:
        yield "missing PKGBUILD"
    for path, size in files.items():
        yield from _of_file(path, size)
    if metadata["pkgbase"] != name:
        yield f"invalid pkgbase: {metadata['pkgbase']}, expected {name}"


def _of_metadata(metadata: dict[str, Any], files: Mapping[str, int]) -> Iterator[str]:
    if "pkgbase" not in metadata:
        yield "invalid .SRCINFO, does not contain a pkgbase (is the file empty?)"
        return
    if not _NAME.match(metadata["pkgbase"]):
        yield f"invalid pkgbase: {metadata['pkgbase']}"
    if not metadata["packages"]:
        yield "missing pkgname entry"
    for package in metadata["packages"]:
        yield from _of_package(get_merged_package(package, metadata), files)


def _of_package(package: dict[str, Any], files: Mapping[str, int]) -> Iterator[str]:
    for field in ("pkgver", "pkgrel", "pkgname", "arch"):
        if field not in package:
            yield f"missing mandatory field: {field}"
    if not package.get("epoch", "0").isdigit():
        yield f"invalid epoch: {package['epoch']}"
    if not _NAME.match(package["pkgname"]):
        yield f"invalid package name: {package['pkgname']}"
    for field, longest in _LENGTHS.items():
        if len(package.get(field, "")) > longest:
            yield f"{field} field too long: {package[field]}"
    for field in ("install", "changelog"):
        if field in package and package[field] not in files:
            yield f"missing {field} file: {package[field]}"
    yield from _of_sources(package, files)


def _of_sources(package: dict[str, Any], files: Mapping[str, int]) -> Iterator[str]:
    for field in ("source", *(f"source_{arch}" for arch in package.get("arch", ()))):
        for source in package.get(field, ()):
            if len(source) > 8000:
                yield f"source entry too long: {source}"
            if "://" not in source and "lp:" not in source and source not in files:
                yield f"missing source file: {source}"


def _of_file(path: str, size: int) -> Iterator[str]:
    top, *below = path.split("/")
    if size > MAX_BLOB and top != "LICENSES":
        yield "maximum blob size (488.28KiB) exceeded"
    if below and top not in {"keys", "LICENSES"}:
        yield "the repository must not contain subdirectories"
    elif top == "keys" and below and (below[0] != "pgp" or len(below) == 1):
        yield "the keys/ subdir may only contain a pgp/ directory"
    elif top == "keys" and (len(below) != 2 or not path.endswith(".asc")):
        yield "the subdir may only contain .asc (PGP pub key) files"
    elif top == "LICENSES" and (len(below) != 1 or not path.endswith((".md", ".txt"))):
        yield "the subdir may only contain files ending in .md or .txt"
    elif top == "LICENSES":
        licence = os.path.splitext(below[0])[0]  # noqa: PTH122 - a name is no path here
        if licence not in _LICENCES and not licence.startswith("LicenseRef-"):
            yield "files in this subdir must either be named after an acceptable SPDX license"


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout


def _update(ref: str, old: str, new: str) -> str:
    """Return why a ref is not updated, nothing where it is."""
    if ref != "refs/heads/master":
        return "pushing to a branch other than master is restricted"
    is_first = not old.strip("0")
    if not is_first and _git("merge-base", old, new).decode().strip() != old:
        return "denying non-fast-forward (you should pull first)"
    name = os.environ["AUR_PKGBASE"]
    for flag, text in (
        ("blacklisted", f"pkgbase is blacklisted: {name}"),
        ("provided", f"package already provided by [extra]: {name}"),
        ("taken", f"cannot overwrite package: {name}"),
    ):
        if (Path(os.environ["AUR_FLAGS"]) / f"{flag}-{name}").exists():
            return text
    records = _git("ls-tree", "-r", "-l", "-z", new).decode().split("\0")[:-1]
    files = {record.partition("\t")[2]: int(record.split()[3]) for record in records}
    srcinfo = _git("cat-file", "blob", f"{new}:.SRCINFO") if ".SRCINFO" in files else None
    said = refusal(name, files, srcinfo)
    return f"The following error occurred when parsing commit\nerror: {new}:\nerror: {said}" * bool(
        said
    )


if __name__ == "__main__":
    if said := _update(*sys.argv[1:4]):
        sys.exit(f"error: {said}")
