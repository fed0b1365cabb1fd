"""What is in `.CI`: interfere files that cannot be used, and files that nobody reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.interfere import Interfere, InterfereError
from caur_ci.interfere.files import PATHS
from caur_ci.names import suggestion
from caur_ci.validation.catalogue import finding
from caur_ci.validation.snapshot import PACKAGE_CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caur_ci.validation.model import Finding
    from caur_ci.validation.snapshot import Folder

_PATCH = ".CI/interfere.patch"
_HOOK = ".CI/update.sh"
_READ = frozenset({*PATHS, PACKAGE_CONFIG, ".CI/info", _HOOK})
_HUNK = re.compile(rb"@@ -[0-9]+(?:,(?P<old>[0-9]{1,9}))? \+[0-9]+(?:,(?P<new>[0-9]{1,9}))? @@")
_SCRIPTS = frozenset(PATHS) - {_PATCH}
_IDLE = re.compile(rb"\s*(?:#.*)?")
# They may change what a patch finds.
_BEFORE_PATCH = frozenset({".CI/prepare", ".CI/prepare.sh"})


def check_interfere(folder: Folder) -> Iterator[Finding]:
    """Yield what is wrong with the files in `.CI`."""
    files = {path: folder.contents[path] for path in PATHS if path in folder.contents}
    try:
        Interfere.of_files(files, origin=folder.name)
    except InterfereError as error:
        for message in error.message.splitlines():
            yield _unusable(folder, message)
    else:
        if _PATCH in files and _BEFORE_PATCH.isdisjoint(folder.files):
            yield from _patch(folder, files[_PATCH])
    yield from _unknown(folder)
    for path in _SCRIPTS.intersection(files):
        if all(_IDLE.fullmatch(line) for line in files[path].split(b"\n")):
            yield finding("interfere-empty", package=folder.name, file=folder.path(path))


def _unusable(folder: Folder, message: str) -> Finding:
    path, line, what = f"{folder.name}/.CI", 0, message.removeprefix(f"{folder.name}: ")
    named = [
        it for it in PATHS if message.startswith((f"{folder.name}/{it}:", f"{folder.name}/{it} "))
    ]
    if named:
        path = folder.path(named[0])
        number, _, text = message.removeprefix(path).removeprefix(":").partition(": ")
        line, what = (int(number), text) if number.isdecimal() else (0, f"it{number}")
    return finding("interfere-unusable", package=folder.name, file=path, line=line, what=what)


def _unknown(folder: Folder) -> Iterator[Finding]:
    for path in folder.files:
        if not path.startswith(".CI/") or path in _READ:
            continue
        name = path.rpartition("/")[2].encode("utf-8", "surrogateescape")
        # A script may well read other files.
        if not any(name in data for other, data in folder.contents.items() if other != path):
            meant = suggestion(path, _READ, 1)
            yield finding(
                "ci-file-unknown", package=folder.name, file=folder.path(path), remedy=meant
            )


def _patch(folder: Folder, patch: bytes) -> Iterator[Finding]:
    """Yield why a patch surely fails; that it applies is not sure without trying."""
    seen: set[str] = set()
    for line, path, removed in _sections(patch):
        what = ""
        if path not in folder.files:
            what = f"there is no file {path}"
        elif path in folder.contents and path not in seen:
            what = _missing(folder.contents[path], removed)
        seen.add(path)
        if what:
            yield finding(
                "patch-fails", package=folder.name, file=folder.path(_PATCH), line=line, what=what
            )


def _missing(content: bytes, removed: Sequence[bytes]) -> str:
    there = {line.rstrip(b"\r") for line in content.split(b"\n")}
    for line in removed:
        if line.rstrip(b"\r") not in there:
            return f"{line.decode('utf-8', 'replace').strip()!r} is in no line of the file"
    return ""


def _sections(patch: bytes) -> Iterator[tuple[int, str, list[bytes]]]:
    """Yield of each file that is changed where its part begins, its path, and the lines taken out.

    The patch is one that can be read; files that it makes are left out.
    """
    start, path, removed = 0, "", list[bytes]()
    old = new = 0
    for number, line in enumerate(patch.split(b"\n"), start=1):
        if old > 0 or new > 0:
            removed += [line[1:]] if line.startswith(b"-") else []
            old -= not line.startswith((b"+", b"\\"))
            new -= not line.startswith((b"-", b"\\"))
        elif match := _HUNK.match(line):
            old, new = (int(match[side] or 1) for side in ("old", "new"))
        elif line.startswith(b"--- "):
            if path:
                yield start, path, removed
            start, path, removed = number, _path(line), []
    if path:
        yield start, path, removed


def _path(line: bytes) -> str:
    name = line.removeprefix(b"--- ").split(b"\t")[0].rstrip()
    return (
        "" if name == b"/dev/null" else name.partition(b"/")[2].decode("utf-8", "surrogateescape")
    )
