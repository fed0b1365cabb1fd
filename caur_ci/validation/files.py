"""Files: how lines end, how text is written, modes, links and sizes."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from caur_ci.git.trees import EXECUTABLE_MODE, LINK_MODE, SUBMODULE_MODE, stays_inside
from caur_ci.interfere import files as interfere_files
from caur_ci.package_folders import LARGEST_FILE, LARGEST_FOLDER, MOST_FILES
from caur_ci.srcinfo import SRCINFO
from caur_ci.validation.catalogue import finding
from caur_ci.validation.model import Mend
from caur_ci.validation.snapshot import OWN_FILES, PACKAGE_CONFIG, PKGBUILD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.validation.model import Finding
    from caur_ci.validation.snapshot import Folder, FolderFile, Snapshot

_MARK = b"\xef\xbb\xbf"
# What bash reads; of interfere files, a patch may well be about lines of Windows.
_CODE = frozenset({PKGBUILD, ".CI/update.sh", *interfere_files.PATHS} - {".CI/interfere.patch"})
_TEXT = frozenset({SRCINFO, PACKAGE_CONFIG, ".CI/info"})
# Nobody runs these as programs, whatever else lies in a folder.
_NO_PROGRAMS = frozenset({PKGBUILD, *_TEXT})


def check_own_files(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what is wrong with the text of the repository's own files."""
    for path in OWN_FILES:
        if (data := snapshot.own.get(path)) is not None:
            yield from _text("", path, data, is_code=False)


def check_files(folder: Folder, *, has_modes: bool) -> Iterator[Finding]:
    """Yield what is wrong with the files of a folder; `has_modes` as in the snapshot."""
    for path, data in folder.contents.items():
        is_code = path in _CODE or ("/" not in path and path.endswith(".install"))
        if is_code or path in _TEXT:
            yield from _text(folder.name, folder.path(path), data, is_code=is_code)
    for path, file in folder.files.items():
        yield from _file(folder, path, file, has_modes=has_modes)
    yield from _whole(folder)


def _text(package: str, file: str, data: bytes, *, is_code: bool) -> Iterator[Finding]:
    if b"\r\n" in data:
        line = data[: data.index(b"\r\n")].count(b"\n") + 1
        mend = Mend(file, lambda old: old.replace(b"\r\n", b"\n"))
        code = "crlf-in-code" if is_code else "crlf-in-text"
        yield finding(code, package=package, file=file, line=line, mend=mend)
    if is_code and data.startswith(_MARK):
        mend = Mend(file, _without_mark)
        yield finding("byte-order-mark", package=package, file=file, line=1, mend=mend)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"byte {data[error.start]:#04x} in line {line}"
        yield finding("not-utf8", package=package, file=file, line=line, what=what)


def _without_mark(data: bytes) -> bytes:
    while data.startswith(_MARK):
        data = data.removeprefix(_MARK)
    return data


def _file(folder: Folder, path: str, file: FolderFile, *, has_modes: bool) -> Iterator[Finding]:
    found = partial(finding, package=folder.name, file=folder.path(path))
    if file.mode == EXECUTABLE_MODE and has_modes and path in _NO_PROGRAMS:
        yield found("executable", mend=Mend(folder.path(path), executable=False))
    elif file.mode == LINK_MODE:
        target = os.fsencode(file.target)
        if target and not stays_inside(target, depth=path.count("/")):
            yield found("link-outside", what=file.target)
    elif file.mode == SUBMODULE_MODE:
        yield found("submodule-inside")
    elif file.size > LARGEST_FILE:
        yield found("file-too-large", what=f"{file.size:,} bytes")


def _whole(folder: Folder) -> Iterator[Finding]:
    size = sum(file.size for file in folder.files.values())
    if len(folder.files) > MOST_FILES:
        what = f"{len(folder.files):,} files"
        yield finding("folder-too-large", package=folder.name, file=folder.name, what=what)
    if size > LARGEST_FOLDER:
        what = f"{size:,} bytes"
        yield finding("folder-too-large", package=folder.name, file=folder.name, what=what)
