"""The pipeline templates of releases, as the repository of caur-ci has them at its tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError, TemporaryError
from caur_ci.update.fetching import FetchProblem
from caur_ci.update.remote_ref import RemoteRef
from caur_ci.update.tag_version import is_prerelease
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from caur_ci.setup.pipelines import Forge
    from caur_ci.update.fetching import Fetcher

_TAG = re.compile(r"v?(?P<version>[0-9]+(?:\.[0-9A-Za-z]+)*)")
_PIN = re.compile(rb"^(\s*CAUR_CI_VERSION:\s*)([\"']?)([0-9][0-9A-Za-z.]*)\2[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """A version, the tag that it is known by, and the commit that this is at."""

    version: str
    tag: str
    commit: str


class Releases:
    """The releases in the repository at `url`."""

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self._fetcher = fetcher
        self._url = url
        self._known: dict[str, Release] | None = None

    def known(self) -> dict[str, Release]:
        """Return all releases by their versions. Raises TemporaryError where they are not known."""
        if self._known is None:
            found = self._fetcher.tags([self._url])[self._url]
            if isinstance(found, FetchProblem):
                raise TemporaryError(found.reason)
            self._known = {
                match["version"]: Release(match["version"], tag, commit)
                for tag, commit in found.items()
                if (match := _TAG.fullmatch(tag)) is not None
            }
        return self._known

    def newest(self) -> Release:
        """Return the newest that is no pre-release. Raises InputError where there is none."""
        newest: Release | None = None
        for release in self.known().values():
            if is_prerelease(release.version):
                continue
            if newest is None or vercmp(release.version, newest.version) > 0:
                newest = release
        if newest is None:
            raise InputError(f"{RemoteRef(self._url)} has no tag that is a version")
        return newest

    def of(self, version: str) -> Release:
        """Return the release of a version. Raises InputError where there is none."""
        release = self.known().get(version)
        if release is None:
            raise InputError(f"{RemoteRef(self._url)} has no release {version}")
        return release

    def pipeline(self, release: Release, forge: Forge, *, serverless: bool = False) -> bytes | None:
        """Return the pipeline that a release has for a forge, pinned to it; None for none.

        The commit is the one that the tag was at when it was looked at. Raises TemporaryError.
        """
        place = RemoteRef(self._url, f"refs/tags/{release.tag}")
        found = self._fetcher.fetch([place])[place]
        if isinstance(found, FetchProblem):
            raise TemporaryError(found.reason)
        if not found:
            raise TemporaryError(f"{place} went away", hint="Run it again.")
        tree = self._fetcher.tree(found)
        path = f"templates/{forge.template(serverless=serverless)}"
        (content,) = self._fetcher.git.read_blobs([f"{tree}:{path}"])
        return None if content is None else with_pin(content, release.version)


def pinned_version(pipeline: bytes) -> str:
    """Return the version of caur-ci that a pipeline installs, empty where it names none."""
    found = _PIN.search(pipeline)
    return found[3].decode() if found else ""


def with_pin(pipeline: bytes, version: str) -> bytes:
    """Return the pipeline with another version to install."""
    return _PIN.sub(
        lambda found: b"%s%s%s%s" % (*found.group(1, 2), version.encode(), found[2]), pipeline
    )
