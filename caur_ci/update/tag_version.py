"""Versions in the names of tags, and which of them is the newest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import pairwise
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_LONGEST = 200
_WORDS = ("version", "ver", "v", "releases", "release", "rel", "r")
_VERSION = re.compile(r"[0-9][0-9A-Za-z._+-]*")
_EARLY = r"(?:alpha|beta|preview|pre|rc|dev|snapshot|nightly|canary|test|eap)"
_PRERELEASE = re.compile(rf"(?:{_EARLY}(?![A-Za-z])|(?<=[0-9._+-])[ab](?=[0-9]))", re.IGNORECASE)
# `1.0-rc1` is older than `1.0` for pacman only without the hyphen, which no pkgver may have.
_BEFORE_PRERELEASE = re.compile(rf"-(?={_EARLY}(?![A-Za-z]))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, the commit that it is at, and a page about that; empty where it is not known."""

    name: str
    commit: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class TaggedVersion:
    """A tag that names a version."""

    version: str
    tag: Tag


def version_in(tag: str, names: Collection[str] = ()) -> str:
    """Return the pkgver that a tag stands for, empty for a tag that is none.

    Before it there may be `v`, `release` and the like, and one of `names`, those of the package.
    """
    if len(tag) > _LONGEST:
        return ""
    words = "|".join(map(re.escape, sorted({*names, *_WORDS}, key=len, reverse=True)))
    start = re.match(rf"(?:(?:{words})[-_./]?){{0,3}}(?=[0-9])", tag, re.IGNORECASE)
    rest = tag[start.end() :] if start else ""
    if not _VERSION.fullmatch(rest):
        return ""
    return _BEFORE_PRERELEASE.sub("", rest).replace("-", "_")


def is_prerelease(version: str) -> bool:
    """Tell whether a version comes before the one that it is named after."""
    return _PRERELEASE.search(version) is not None


def tagged_versions(
    tags: Iterable[Tag], names: Collection[str] = (), *, prereleases: bool = False
) -> list[TaggedVersion]:
    """Return the versions that tags stand for, the newest first, by pacman's order."""
    found = [TaggedVersion(version_in(tag.name, names), tag) for tag in tags]
    usable = [
        one
        for one in found
        if _is_version(one.version) and (prereleases or not is_prerelease(one.version))
    ]
    order = cmp_to_key(vercmp)
    return sorted(usable, key=lambda one: order(one.version), reverse=True)


def is_sorted(versions: Collection[str]) -> bool:
    """Tell whether versions come with the newest first."""
    listed = list(versions)
    return all(vercmp(a, b) >= 0 for a, b in pairwise(listed))


def _is_version(text: str) -> bool:
    try:
        return bool(text) and vercmp(text, "0") is not None
    except InputError:
        return False
