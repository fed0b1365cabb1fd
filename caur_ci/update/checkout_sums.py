"""Checksums of git sources at a tag or commit, as makepkg makes them: of git's own archive of it.

The repository is fetched into a folder of its own that goes again, without its history, and nothing
of it is checked out.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from caur_ci.credentials import without_credentials
from caur_ci.errors import InputError, ProcessError
from caur_ci.process import run
from caur_ci.update.public_web import addresses_of, check_addresses
from caur_ci.update.remote_ref import RemoteRef
from caur_ci.update.source_sums import SourceError, new_hash
from caur_ci.update.transport import GitTransport

if TYPE_CHECKING:
    import hashlib
    from collections.abc import Collection

    from caur_ci.update.source_sums import Sums

LARGEST_ARCHIVE = 1024**3
_TIMEOUT = 120.0
_CHUNK = 1024**2
_SOURCE = re.compile(
    r"git\+(?P<url>[^#?]+)(?:\?[^#]*)?#(?P<kind>tag|commit)=(?P<name>[^#?]+)(?:\?[^#]*)?"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_OPEN = frozenset({"http", "https", "git"})
_ATTRIBUTES = ".gitattributes"
# What these give depends on the machine, or on more of the history than is here.
_ELSEWHERE = re.compile(rb"\s(?:export-subst|filter)\b")
# As on a machine where nobody has configured anything.
_PLAIN = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1"}
_ARCHIVE = ("-c", "core.abbrev=no", "-c", "core.attributesFile=/dev/null", "archive")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A git source of a PKGBUILD: the URL, and the ref or commit that it is at."""

    url: str
    ref: str

    @classmethod
    def parse(cls, source: str) -> Checkout | None:
        """Read an element of `source`; None for what is no git source at a tag or commit.

        Raises InputError for one that cannot be fetched.
        """
        match = _SOURCE.fullmatch(source.partition("::")[2] or source)
        if match is None:
            return None
        if match["kind"] == "commit":
            if not _COMMIT.fullmatch(match["name"]):
                raise InputError(f"{match['name']!a} is no full id of a commit")
            return cls(RemoteRef(match["url"]).url, match["name"])
        place = RemoteRef(match["url"], f"refs/tags/{match['name']}")
        return cls(place.url, place.ref)

    def __str__(self) -> str:
        return f"{without_credentials(self.url)} at {self.ref.removeprefix('refs/tags/')}"


def checkout_sums(checkout: Checkout, kinds: Collection[str], *, allow_local: bool) -> Sums:
    """Return the checksums of `kinds` of a checkout. `allow_local` is for private servers.

    Raises InputError where they would not be the same everywhere, or the server is not asked,
    TemporaryError where it does not give what is wanted.
    """
    if not allow_local:
        _check_place(checkout)
    with tempfile.TemporaryDirectory(prefix="caur-ci-", ignore_cleanup_errors=True) as folder:
        repository, archive = Path(folder, "git"), Path(folder, "archive")
        git = ["git", f"--git-dir={repository}"]
        try:
            run(["git", "init", "--quiet", "--bare", "--template=", repository])
            fetched = GitTransport().fetch(checkout.url, [checkout.ref], repository)
            commit = fetched[checkout.ref].commit
            _check_attributes(git, commit)
            run(
                [*git, *_ARCHIVE, "--format=tar", f"--output={archive}", commit],
                environment=_PLAIN,
                timeout=_TIMEOUT,
                largest_file=LARGEST_ARCHIVE,
            )
        except ProcessError as error:
            raise SourceError(f"{checkout} cannot be summed: {error.message[:200]}") from None
        return _sums(archive, kinds)


def _check_place(checkout: Checkout) -> None:
    parts = urlsplit(checkout.url)
    if parts.scheme.lower() not in _OPEN or not parts.hostname:
        raise InputError(
            f"{checkout} is not asked for: only http, https and git URLs are",
            hint="CI_LOCAL_SOURCES=true in .ci/config allows others.",
        )
    check_addresses(parts.hostname, addresses_of(parts.hostname))


def _check_attributes(git: list[str], commit: str) -> None:
    """Raise InputError for a tree whose archive is not the same everywhere."""
    listing = run([*git, "ls-tree", "-r", "-z", "--full-tree", commit], timeout=_TIMEOUT).stdout
    for record in listing.split(b"\0"):
        head, _, path = record.partition(b"\t")
        if path.rpartition(b"/")[2] == _ATTRIBUTES.encode():
            content = run([*git, "cat-file", "blob", head.split()[2].decode()]).stdout
            if _ELSEWHERE.search(content):
                raise InputError("its .gitattributes make another archive on other machines")


def _sums(archive: Path, kinds: Collection[str]) -> Sums:
    hashes: dict[str, hashlib._Hash] = {kind: new_hash(kind) for kind in kinds}
    with archive.open("rb") as file:
        while chunk := file.read(_CHUNK):
            for one in hashes.values():
                one.update(chunk)
    return {kind: one.hexdigest() for kind, one in hashes.items()}
