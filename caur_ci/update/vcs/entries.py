"""Which sources of a package follow upstream commits, as its `.SRCINFO` and PKGBUILD tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from caur_ci.credentials import without_credentials
from caur_ci.names import is_ref_name

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ENTRIES = 64
_LONGEST = 500
_SOURCE = re.compile(r"source(?:_[a-z0-9_]+)?")
# What makepkg tells by the address alone, and by a prefix before `+` (`PROTO+URL`).
_TOOLS = ("git", "svn", "hg", "bzr")
_SCHEMES = {
    "git": frozenset({"https", "http", "git", "ssh"}),
    "svn": frozenset({"https", "http", "svn", "svn+ssh"}),
    "hg": frozenset({"https", "http", "ssh"}),
    "bzr": frozenset({"https", "http", "bzr", "bzr+ssh"}),
}
# In makepkg's words; all others name what does not move.
_MOVING = {"git": frozenset({"branch"}), "hg": frozenset({"branch"})}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_LARGEST_PKGBUILD = 256 * 1024
_LONGEST_LINE = 1000


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A branch of an upstream repository; the default one where `branch` is empty."""

    tool: str
    url: str
    branch: str = ""

    @property
    def host(self) -> str:
        """The server, with its port where one is given."""
        return urlsplit(self.url).netloc.rpartition("@")[2].lower()

    def __str__(self) -> str:
        """Return it for people and for memory, without credentials."""
        url = without_credentials(self.url)
        prefix = "" if self.tool == "git" else f"{self.tool}+"
        return f"{prefix}{url}#branch={self.branch}" if self.branch else f"{prefix}{url}"


@dataclass(frozen=True, slots=True)
class FollowedSources:
    """The places that a package follows, in the order of its sources.

    `refused` says of others why they cannot be followed.
    """

    places: tuple[Place, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    place: Place


def followed_sources(srcinfo: bytes, pkgbuild: bytes = b"") -> FollowedSources:
    """Return what a package follows: branches, of all architectures, that are no submodules.

    A repository that PKGBUILD gives to a submodule is checked out at what its parent says.
    """
    entries: list[_Entry] = []
    refused: list[str] = []
    for text in dict.fromkeys(_sources(srcinfo.decode("utf-8", "replace"))):
        found = _entry(text)
        if isinstance(found, str):
            refused.append(found)
        elif found is not None:
            entries.append(found)
    if len(entries) > 1:
        entries = _without_submodules(entries, pkgbuild.decode("utf-8", "replace"))
    places = tuple(dict.fromkeys(entry.place for entry in entries))
    if len(places) > MOST_ENTRIES:
        refused.append(f"it has {len(places)} upstream repositories: {MOST_ENTRIES} are followed")
    return FollowedSources(places[:MOST_ENTRIES], tuple(refused[:MOST_ENTRIES]))


def _sources(srcinfo: str) -> Iterator[str]:
    for line in srcinfo.split("\n"):
        key, _, value = line.partition("=")
        if _SOURCE.fullmatch(key.strip()) and value.strip():
            yield value.strip()


def _entry(text: str) -> _Entry | str | None:
    """Return what follows commits, why it cannot be followed, or None for anything else."""
    name, separator, address = text.partition("::")
    if not separator:
        name, address = "", text
    tool, url = _tool_and_url(address)
    if not tool:
        return None
    url, _, fragment = url.partition("#")
    url, fragment = url.partition("?signed")[0], fragment.partition("?")[0]
    kind, _, value = fragment.partition("=")
    if fragment and kind not in _MOVING.get(tool, ()):
        return None
    problem = _problem(tool, url, value, is_plain=not fragment)
    if problem:
        return f"its source {without_credentials(address)[:_LONGEST]!a} is not followed: {problem}"
    place = Place(tool, url, value)
    return _Entry(name or url.rstrip("/").rpartition("/")[2].removesuffix(".git"), place)


def _tool_and_url(address: str) -> tuple[str, str]:
    scheme = address.partition("://")[0]
    tool, plus, rest = scheme.partition("+")
    if tool not in _TOOLS:
        return "", address
    # Subversion and Bazaar have schemes with a plus of their own.
    if plus and rest != "ssh":
        return tool, address.partition("+")[2]
    if plus:
        return tool, address if tool in {"svn", "bzr"} else address.partition("+")[2]
    return tool, address


def _problem(tool: str, url: str, branch: str, *, is_plain: bool) -> str:
    """Return why nobody may be asked about this, in the words of a stranger's mistake."""
    if len(url) > _LONGEST or not (url.isascii() and url.isprintable()) or " " in url:
        return "that is no address"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "that is no address"
    if parts.scheme.lower() not in _SCHEMES[tool]:
        return f"{parts.scheme or 'no scheme'} is not one of {', '.join(sorted(_SCHEMES[tool]))}"
    if not _HOST.fullmatch(host) or not parts.path.strip("/"):
        return "that is no address"
    if not is_plain and (not is_ref_name(branch) or branch.startswith("-") or len(branch) > 250):
        return "no branch can be named so"
    return ""


def _without_submodules(entries: list[_Entry], pkgbuild: str) -> list[_Entry]:
    names = set(_submodule_names(pkgbuild))
    if any("$" in name for name in names):
        # A loop over names that only running it would tell: what is first is what they are of.
        return entries[:1]
    return [entry for entry in entries if entry.name not in names]


def _submodule_names(pkgbuild: str) -> Iterator[str]:
    """Yield what is left of `$srcdir/NAME` where a PKGBUILD gives it to a submodule.

    That is written `git config submodule.X.url "$srcdir/NAME"`, or with `-c` and an equals sign, or
    `git submodule set-url X "$srcdir/NAME"`.
    """
    for line in pkgbuild[:_LARGEST_PKGBUILD].split("\n"):
        if "submodule" not in line or "url" not in line or len(line) > _LONGEST_LINE:
            continue
        words = [word.strip("\"';") for word in line.split()]
        for place, word in enumerate(words):
            key, equals, value = word.partition("=")
            if key.rstrip("\"'").endswith(".url"):
                value = value if equals else "".join(words[place + 1 : place + 2])
            elif word == "set-url":
                value = "".join(words[place + 2 : place + 3])
            else:
                continue
            yield value.strip("\"'").rpartition("/")[2].removesuffix(".git")
