"""What changed in a package, and whether that may be taken over without anybody looking at it.

Only a new version is quiet: a higher pkgver that upstream may well have released, with checksums of
the same strength for the sources that have it in their names, or a higher pkgrel; in the PKGBUILD,
and in a `.SRCINFO` that follows it. All else is for people to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.judge.version_step import doubt_about_pkgrel, doubt_about_pkgver
from caur_ci.update.pkgbuild import UnreadableError, outlines
from caur_ci.update.srcinfo_changes import SrcinfoText, doubts_about_srcinfo
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.git import GitRepository
    from caur_ci.srcinfo import SrcinfoFields
    from caur_ci.update.pkgbuild import PkgbuildOutline

_MISSING = "000000"
_RECIPE = ("PKGBUILD", ".SRCINFO")


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
    recipe = [change for change in changes if change.path in _RECIPE]
    if recipe and not any(reason for change in recipe for reason in _about_file(change)):
        reasons += _about_recipe(git, old, new)
    return tuple(dict.fromkeys(reasons))


def _about_file(change: FileChange) -> Iterator[str]:
    path = ascii(change.path)[1:-1]
    if change.old_mode == _MISSING:
        yield f"{path} is new"
    elif change.new_mode == _MISSING:
        yield f"{path} was removed"
    elif change.old_mode != change.new_mode:
        yield f"{path} is another kind of file"
    elif change.path not in _RECIPE:
        yield f"{path} was changed"


def _about_recipe(git: GitRepository, old: str, new: str) -> list[str]:
    """Compare PKGBUILD and `.SRCINFO` of two trees that both have them."""
    names = [f"{tree}:{path}" for path in _RECIPE for tree in (old, new)]
    old_pkgbuild, new_pkgbuild, old_srcinfo, new_srcinfo = (
        content or b"" for content in git.read_blobs(names)
    )
    try:
        before, after = outlines(old_pkgbuild, new_pkgbuild)
    except UnreadableError as error:
        return [error.message]
    if before.digest != after.digest:
        return ["the PKGBUILD was changed in more than its version and checksums"]
    try:
        was, becomes = SrcinfoText.parse(old_srcinfo), SrcinfoText.parse(new_srcinfo)
        reasons = list(_about_version(was.fields, becomes.fields, before, after))
    except InputError as error:
        return [f"the .SRCINFO cannot be read: {error.message}"]
    return [*reasons, *doubts_about_srcinfo(was, becomes, after)]


def _about_version(
    was: SrcinfoFields, becomes: SrcinfoFields, before: PkgbuildOutline, after: PkgbuildOutline
) -> Iterator[str]:
    order = vercmp(becomes.version, was.version)
    pkgver = vercmp(after.pkgver or becomes.pkgver, before.pkgver or was.pkgver)
    pkgrel = vercmp(after.pkgrel or becomes.pkgrel, before.pkgrel or was.pkgrel)
    if order < 0:
        yield f"the version goes back from {was.version} to {becomes.version}"
    elif pkgver < 0 or (pkgver == 0 and pkgrel < 0):
        yield "the version in the PKGBUILD goes back"
    elif order == 0:
        yield "it was changed without another version"
    if was.pkgver != becomes.pkgver:
        if doubt := doubt_about_pkgver(was.pkgver, becomes.pkgver):
            yield doubt
    elif before.sums != after.sums:
        yield "the checksums were changed without another pkgver"
    if doubt := doubt_about_pkgrel(was.pkgrel, becomes.pkgrel):
        yield doubt
