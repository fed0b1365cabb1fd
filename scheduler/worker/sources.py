"""The sources that a package's `.SRCINFO` names: what they are called, and what vouches for them.

The rules for names and sums are makepkg's; see PKGBUILD(5), "source" and "Using VCS sources".
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ALGORITHMS = {
    "b2": "blake2b",
    "sha512": "sha512",
    "sha384": "sha384",
    "sha256": "sha256",
    "sha224": "sha224",
}
_FIELD = re.compile(
    r"^[ \t]*(source|[a-z0-9]+sums)(_[A-Za-z0-9_]+)?[ \t]*=[ \t]*(\S.*)$", re.MULTILINE
)
_DIGEST = re.compile(r"[0-9a-f]{56,128}")
# The place, without the branch or tag, and without wishes such as `?signed`.
_GIT = re.compile(r"(?:git\+(?=(?:https?|ssh|git|file)://)|(?=git://))([^#?]+)")
_NAME = re.compile(r"(?!\.{1,2}$)[^/\0]{1,255}")


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that is downloaded, and the sum of what it has to hold."""

    name: str
    algorithm: str
    digest: str

    @property
    def key(self) -> str:
        """What the content is known by, whatever its name."""
        return f"{self.algorithm}-{self.digest}"

    def hasher(self) -> hashlib._Hash:
        """Return what computes the sum."""
        return hashlib.new(self.algorithm, usedforsecurity=True)


@dataclass(frozen=True, slots=True)
class GitSource:
    """A git repository that makepkg makes a mirror of. `url` is what it clones."""

    name: str
    url: str

    @property
    def key(self) -> str:
        """What the mirror is known by."""
        return hashlib.sha256(self.url.encode(errors="surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Sources:
    """Those sources of a package that can be kept: what is not vouched for is not among them."""

    files: tuple[FileSource, ...] = ()
    git: tuple[GitSource, ...] = ()

    @classmethod
    def of_srcinfo(cls, content: bytes) -> Sources:
        """Read them from a `.SRCINFO`. Never raises: what makes no sense is left out."""
        fields: dict[tuple[str, str], list[str]] = defaultdict(list)
        for match in _FIELD.finditer(content.decode(errors="surrogateescape")):
            fields[match[1], match[2] or ""].append(match[3].rstrip())
        files: dict[str, FileSource] = {}
        repositories: dict[str, GitSource] = {}
        for (field, suffix), texts in fields.items():
            if field == "source":
                sums = {name: fields.get((f"{name}sums", suffix), []) for name in _ALGORITHMS}
                files |= {each.name: each for each in _files(texts, sums)}
                repositories |= {each.name: each for each in _repositories(texts)}
        alone = [file for name, file in files.items() if name not in repositories]
        return cls(tuple(alone), tuple(repositories.values()))


def _files(texts: Iterable[str], sums: dict[str, list[str]]) -> Iterator[FileSource]:
    for place, text in enumerate(texts):
        name, url = _parts(text)
        if "://" not in url or not _NAME.fullmatch(name := name or url.rpartition("/")[2]):
            continue
        for known, algorithm in _ALGORITHMS.items():
            digest = sums[known][place].lower() if place < len(sums[known]) else ""
            if _DIGEST.fullmatch(digest):
                yield FileSource(name, algorithm, digest)
                break


def _repositories(texts: Iterable[str]) -> Iterator[GitSource]:
    for text in texts:
        name, url = _parts(text)
        match = _GIT.match(url)
        if match is None or any(not letter.isprintable() for letter in match[1]):
            continue
        name = name or match[1].rstrip("/").rpartition("/")[2].partition(".git")[0]
        if _NAME.fullmatch(name):
            yield GitSource(name, match[1])


def _parts(text: str) -> tuple[str, str]:
    name, separator, url = text.partition("::")
    return (name, url) if separator else ("", text)
