"""What the AUR demands of what is pushed to it, told before it is pushed.

After the checks of its update hook and of the program in front of it; a few are stricter, and some
are those of makepkg. Whether a name is free or taken, only the AUR knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.aur_repository.belonging import (
    KEYS,
    LICENSES,
    PKGBUILD,
    is_key,
    is_local,
    is_source,
)
from caur_ci.aur_repository.licences import is_licence_file
from caur_ci.errors import InputError
from caur_ci.git.trees import LINK_MODE, SUBMODULE_MODE
from caur_ci.pkgbuild.compare import read_sections
from caur_ci.srcinfo import SRCINFO, parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caur_ci.git.trees import TreeFile
    from caur_ci.pkgbuild.srcinfo import Section

# The AUR's setting; it tells it as 488.28 KiB.
LARGEST_FILE = 500_000
_NAME = re.compile(r"[a-z0-9][a-z0-9.+_-]*", re.ASCII)
_VERSIONS = {
    "epoch": (re.compile(r"[0-9]+", re.ASCII), "digits only"),
    "pkgver": (re.compile(r"[^\s:/-]+", re.ASCII), "no blanks, colons, slashes and hyphens"),
    "pkgrel": (re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII), "a number such as 1 or 1.1"),
}
_LONGEST = {"pkgname": 255, "pkgdesc": 255, "url": 8000}
_LONGEST_SOURCE = 8000
# Python takes these for ends of lines, and so does the AUR.
_LINE_ENDS = re.compile("[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """What the AUR would refuse, in which file (none: the folder), and what to do about it."""

    file: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: " if self.file else ""
        return f"{where}{self.problem}. {self.remedy}".rstrip()


def broken_rules(name: str, srcinfo: bytes | None, files: Sequence[TreeFile]) -> list[BrokenRule]:
    """Return what the AUR would refuse of the package `name` with these files, all of it."""
    found = [*_of_name(name)]
    paths = {file.path for file in files}
    if PKGBUILD not in paths:
        found.append(BrokenRule(PKGBUILD, "there is none", "Commit it."))
    if srcinfo is None:
        made = "Commit it: `caur-ci srcinfo --write` makes it"
        found.append(BrokenRule(SRCINFO, "there is none", f"{made}, or set CI_SRCINFO=generate."))
    else:
        found += _of_srcinfo(name, srcinfo, paths)
    for file in files:
        found += _of_file(file)
    return found


def _of_name(name: str) -> Iterator[BrokenRule]:
    if not _NAME.fullmatch(name):
        yield BrokenRule(
            "",
            f"the AUR has no repositories with names such as {name}",
            "It takes small letters, digits and . + _ -, with a letter or digit first.",
        )


def _of_srcinfo(name: str, srcinfo: bytes, paths: set[str]) -> Iterator[BrokenRule]:
    try:
        fields = parse_fields(srcinfo, origin=SRCINFO)
        sections = read_sections(srcinfo)
    except InputError as error:
        yield BrokenRule(SRCINFO, error.message.removeprefix(f"{SRCINFO}, "), error.hint)
        return
    bases = [section for section in sections if section.kind == "pkgbase"]
    if srcinfo.startswith(b"\xef\xbb\xbf") or _LINE_ENDS.search(srcinfo.decode()):
        yield _srcinfo(
            "it has a byte order mark, or other ends of lines than the AUR reads",
            "Write it anew with `caur-ci srcinfo --write`.",
        )
    if fields.pkgbase != name:
        yield _srcinfo(
            f"pkgbase is {fields.pkgbase}, and the folder's name is that of the AUR's repository",
            f"Call the folder {fields.pkgbase}, or the pkgbase {name}.",
        )
    if [section.kind for section in sections].index("pkgbase") or len(bases) > 1:
        yield _srcinfo(
            "pkgbase does not stand once and first", "Write it anew with `caur-ci srcinfo --write`."
        )
    if not any(_values(section, "arch") for section in bases):
        yield _srcinfo("arch is missing", "Set arch=(any) or arch=(x86_64) in the PKGBUILD.")
    for section in sections:
        yield from _of_section(section, paths)


def _of_section(section: Section, paths: set[str]) -> Iterator[BrokenRule]:
    if section.kind == "pkgname":
        if not _NAME.fullmatch(section.name):
            yield _srcinfo(
                f"pkgname is {section.name[:_SHOWN]!r}",
                "Allowed: small letters, digits and . + _ -, with a letter or digit first.",
            )
        yield from _too_long("pkgname", section.name)
    for field, values in section.fields:
        for value in values:
            yield from _wrong_version(field, value)
            yield from _too_long(field, value)
            yield from _missing_file(field, value, paths)


def _wrong_version(field: str, value: str) -> Iterator[BrokenRule]:
    if field in _VERSIONS:
        allowed, words = _VERSIONS[field]
        if not allowed.fullmatch(value):
            yield _srcinfo(f"{field} is {value[:_SHOWN]!r}", f"Allowed: {words}.")


def _too_long(field: str, value: str) -> Iterator[BrokenRule]:
    longest = _LONGEST_SOURCE if is_source(field) else _LONGEST.get(field)
    if longest is not None and len(value) > longest:
        yield _srcinfo(
            f"{field} has {len(value)} characters: {value[:_SHOWN]}…",
            f"The AUR takes {longest} of them.",
        )


def _missing_file(field: str, value: str, paths: set[str]) -> Iterator[BrokenRule]:
    is_named = field in {"install", "changelog"} or (is_source(field) and is_local(value))
    if is_named and value not in paths:
        there = "there is no such file in the folder"
        remedy = f"Commit it, or take it out of {field} in the PKGBUILD and renew .SRCINFO."
        if "::" in value:
            remedy = "A file of the folder cannot have another name: write it without ::."
        yield _srcinfo(f"{field} names {value[:_SHOWN]!r}, and {there}", remedy)


def _of_file(file: TreeFile) -> Iterator[BrokenRule]:
    if file.mode in {LINK_MODE, SUBMODULE_MODE}:
        kind = "a link" if file.mode == LINK_MODE else "another repository"
        yield BrokenRule(file.path, f"it is {kind}", "Commit the file itself.")
    elif file.size > LARGEST_FILE:
        yield BrokenRule(
            file.path,
            f"it has {file.size:,} bytes, and the AUR takes {LARGEST_FILE:,} of a file",
            "Let it be downloaded: name its URL in source.",
        )
    top, slash, below = file.path.partition("/")
    if not slash:
        if top in {KEYS, LICENSES}:
            yield BrokenRule(top, "the AUR wants a folder where this name is", "Rename it.")
        return
    if top == LICENSES:
        if "/" in below or not is_licence_file(below):
            yield BrokenRule(
                file.path,
                f"the AUR takes no such file in {LICENSES}",
                "Call it after its SPDX identifier, or LicenseRef-NAME, and .txt or .md.",
            )
    elif not is_key(file.path):
        yield BrokenRule(
            file.path,
            f"it is in a folder, and the AUR takes none but {KEYS} and {LICENSES}",
            "Move it beside the PKGBUILD.",
        )


def _values(section: Section, field: str) -> tuple[str, ...]:
    return tuple(value for value in dict(section.fields).get(field, ()) if value)


def _srcinfo(problem: str, remedy: str) -> BrokenRule:
    return BrokenRule(SRCINFO, problem, remedy)
