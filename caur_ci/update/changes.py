"""What changed in a package, and whether that may be taken over without anybody looking at it.

Only another version is quiet: pkgver, pkgrel, and checksums of the same strength. All else is for
people to see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.srcinfo import parse_fields
from caur_ci.update.pkgbuild import UnreadableError, outline
from caur_ci.versions import Version, vercmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.git import GitRepository

_MISSING = "000000"
_SRCINFO_LINE = re.compile(rb"[ \t]*([A-Za-z0-9_]+) = (.*)")
_OWN_FIELDS = frozenset({b"pkgver", b"pkgrel"})
_SUMS = re.compile(rb"[a-z0-9]+sums(?:_[a-z0-9_]+)?")
# They follow from the PKGBUILD, whose own text has not changed, and the version.
_DERIVED = re.compile(rb"(?:source|noextract)(?:_[a-z0-9_]+)?")


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of a package that differs. Modes are those of git, zeros for no file."""

    path: str
    old_mode: str
    new_mode: str
    old_id: str
    new_id: str


def changed_files(git: GitRepository, old: str, new: str) -> list[FileChange]:
    """Return the files in which two trees differ, sorted by path."""
    fields = git.git("diff-tree", "-r", "-z", "--no-renames", old, new).split(b"\0")[:-1]
    changes = []
    for head, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old_id, new_id, _ = head.decode().removeprefix(":").split(" ")
        name = path.decode("utf-8", "surrogateescape")
        changes.append(FileChange(name, old_mode, new_mode, old_id, new_id))
    return changes


def review_reasons(git: GitRepository, old: str, new: str) -> tuple[str, ...]:
    """Return what somebody should look at before a package's tree `old` becomes `new`.

    Nothing where the change is quiet.
    """
    changes = changed_files(git, old, new)
    reasons = [reason for change in changes for reason in _about_file(change)]
    named = {change.path: change for change in changes}
    for path, compare in (("PKGBUILD", _about_pkgbuild), (".SRCINFO", _about_srcinfo)):
        change = named.get(path)
        if change is not None and not list(_about_file(change)):
            before, after = git.read_blobs([change.old_id, change.new_id])
            reasons += compare(before or b"", after or b"")
    return tuple(reasons)


def _about_file(change: FileChange) -> Iterator[str]:
    path = ascii(change.path)[1:-1]
    if change.old_mode == _MISSING:
        yield f"{path} is new"
    elif change.new_mode == _MISSING:
        yield f"{path} was removed"
    elif change.old_mode != change.new_mode:
        yield f"{path} is another kind of file"
    elif change.path not in {"PKGBUILD", ".SRCINFO"}:
        yield f"{path} was changed"


def _about_pkgbuild(before: bytes, after: bytes) -> list[str]:
    try:
        old, new = outline(before), outline(after)
    except UnreadableError as error:
        return [error.message]
    if old.text != new.text:
        return ["the PKGBUILD was changed in more than its version and checksums"]
    if vercmp(new.pkgver, old.pkgver) < 0:
        return [f"the PKGBUILD goes back from version {old.pkgver} to {new.pkgver}"]
    return []


def _about_srcinfo(before: bytes, after: bytes) -> list[str]:
    try:
        old, new = parse_fields(before), parse_fields(after)
        lowered = Version.parse(new.version).compare(Version.parse(old.version)) < 0
    except InputError as error:
        return [f"the .SRCINFO cannot be read: {error.message}"]
    reasons = [f"the version goes back from {old.version} to {new.version}"] if lowered else []
    swaps = [
        (old.version.encode(), new.version.encode()),
        (f"{old.pkgver}-{old.pkgrel}".encode(), f"{new.pkgver}-{new.pkgrel}".encode()),
        (old.pkgver.encode(), new.pkgver.encode()),
    ]
    if not _same_but_for(swaps, _lines(before), _lines(after)):
        reasons.append("the .SRCINFO was changed in more than its version and checksums")
    return reasons


def _lines(srcinfo: bytes) -> list[bytes]:
    """Return the lines that say something, with marks in place of versions and checksums."""
    lines = []
    for line in srcinfo.split(b"\n"):
        match = _SRCINFO_LINE.fullmatch(line)
        if match is None:
            if line.strip() and not line.lstrip().startswith(b"#"):
                lines.append(line)
        elif match[1] in _OWN_FIELDS:
            lines.append(match[1])
        elif _SUMS.fullmatch(match[1]):
            strength = b"SKIP" if match[2] == b"SKIP" else b"%d" % len(match[2])
            lines.append(match[1] + b" of " + strength)
        elif not _DERIVED.fullmatch(match[1]):
            lines.append(match[1] + b" = " + match[2])
    return lines


def _same_but_for(
    swaps: list[tuple[bytes, bytes]], before: list[bytes], after: list[bytes]
) -> bool:
    if len(before) != len(after):
        return False
    return all(
        new == old or any(new == old.replace(*swap) for swap in swaps)
        for old, new in zip(before, after, strict=True)
    )
