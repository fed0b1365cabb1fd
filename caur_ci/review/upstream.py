"""Pages of a program's own about a new version, where its sources say on which forge it lives."""

from __future__ import annotations

import re
from urllib.parse import quote

_SOURCE = re.compile(r"^\s*source(?:_\w+)? = (?:[^:\s]+::)?(?:git\+)?(https://\S+)$", re.MULTILINE)
_PLACE = re.compile(
    r"https://(?P<host>github\.com|gitlab\.com|gitlab\.[a-z0-9.-]+|codeberg\.org)"
    r"/(?P<path>[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)+?)"
    r"(?:/archive/(?:refs/tags/)?(?P<archive>[^/?#]+?)\.(?:tar\.\w+|tgz|zip)"
    r"|/releases/download/(?P<release>[^/?#]+)/\S+"
    r"|/-/archive/(?P<lab>[^/?#]+)/\S+"
    r"|(?:\?[^#]*)?#tag=(?P<tag>\S+?))(?:\?\S*)?"
)


def upstream_pages(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """Return labels and addresses that two texts of `.SRCINFO` lead to.

    The tag of the new version, what changed since that of the old one, and the releases.
    """
    old = dict(_places(before))
    for (host, path), tag in _places(after):
        root = f"https://{host}/{path}"
        inner = "/-" if host.startswith("gitlab.") else ""
        tree = "src/tag" if host == "codeberg.org" else "tree"
        pages = [("tag", f"{root}{inner}/{tree}/{_quoted(tag)}")]
        since = old.get((host, path))
        if since is not None and since != tag:
            between = f"{_quoted(since)}...{_quoted(tag)}"
            pages.append(("what changed upstream", f"{root}{inner}/compare/{between}"))
        pages.append(("releases", f"{root}{inner}/releases"))
        return tuple(pages)
    return ()


def _places(srcinfo: str) -> list[tuple[tuple[str, str], str]]:
    """Return where sources are on forges, with their tags."""
    found = []
    for url in _SOURCE.findall(srcinfo):
        match = _PLACE.fullmatch(url)
        if match:
            tag = match["archive"] or match["release"] or match["lab"] or match["tag"]
            found.append(((match["host"], match["path"].removesuffix(".git")), tag))
    return found


def _quoted(tag: str) -> str:
    return quote(tag, safe="/")
