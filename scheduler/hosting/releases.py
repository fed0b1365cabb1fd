"""Release assets at GitHub as a publishing target: a release for each repository and architecture.

R/A/NAME is the asset NAME of the release R-A, and R/NAME that of the release R. GitHub gives some
names others; those are refused before anything is changed.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import requests

from caur_ci.environment import first_of
from caur_ci.errors import ConfigError, TemporaryError
from scheduler.forges import GitHubRepository
from scheduler.forges.errors import ForgeError
from scheduler.hosting.lease import PREFIX, leased, name_of, number_of
from scheduler.hosting.protocol import TargetError, nothing_to_check
from scheduler.hosting.receiving import received

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset

    from scheduler.hosting.protocol import Change, Check, Upload, Uploader

_API = "https://api.github.com"
_SERVER = "https://github.com"
_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*")
# What GitHub allows in one release.
MOST_ASSETS = 1000
_NEW = "new-"
_EXISTS = 422
_CHUNK = 1024 * 1024


class ReleaseTarget:
    """The releases of `repository` (`owner/name`); `api` and `server` are those of its GitHub."""

    def __init__(
        self,
        repository: str,
        token: str,
        *,
        api: str = _API,
        server: str = _SERVER,
        pauses: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self._repository = repository
        self._server = server.rstrip("/")
        self._connect = partial(GitHubRepository, api, repository, token, pauses=pauses)
        self._forge = self._connect()

    @classmethod
    def at(cls, repository: str, environ: Mapping[str, str], secrets: Mapping[str, str]) -> Self:
        """Return the target at what a pipeline of GitHub says is its server. Raises ConfigError."""
        if not re.fullmatch(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", repository):
            raise ConfigError(
                f"{repository!r} is no repository at GitHub", hint="As github-release:OWNER/NAME"
            )
        token = first_of(secrets, "ACCESS_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
        if not token:
            raise ConfigError(
                f"github-release:{repository} needs a token",
                hint="Set GITHUB_TOKEN; in a pipeline, with `permissions: contents: write`.",
            )
        return cls(
            repository,
            token,
            api=environ.get("GITHUB_API_URL") or _API,
            server=environ.get("GITHUB_SERVER_URL") or _SERVER,
        )

    @property
    def address(self) -> str:
        return f"github-release:{self._repository}"

    @property
    def server(self) -> str:
        return f"{self._server}/{self._repository}/releases/download/$repo-$arch"

    def listing(self, repository: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        with self._translated():
            for release in _releases(self._forge):
                folder = _folder_of(release.tag_name, repository)
                if folder is not None:
                    assets = self._assets(release).values()
                    found |= {f"{folder}/{a.name}": a.size for a in assets if _is_whole(a)}
        return found

    def fetch(self, paths: Iterable[str], root: Path) -> None:
        for path in paths:
            folder, _, name = path.rpartition("/")
            url = f"{self._server}/{self._repository}/releases/download/{_tag_of(folder)}/{name}"
            with received(root / path) as part:
                _download(url, part)

    def held(self, repository: str, uploader: Uploader) -> AbstractContextManager[Check]:
        # With a connection of its own: it is renewed by another thread.
        leases = _Leases(self._connect(), _tag_of(repository), self._translated)
        return leased(leases, uploader, self.address)

    def apply(self, change: Change, check: Check = nothing_to_check) -> None:
        with self._translated():
            releases = {release.tag_name: release for release in _releases(self._forge)}
            # Asked for once: GitHub allows a pipeline some 1,000 requests in an hour.
            assets: dict[str, dict[str, GitReleaseAsset]] = {}
            for upload in (each for stage in change.stages for each in stage):
                check()
                folder, _, name = upload.path.rpartition("/")
                tag = _tag_of(folder)
                if tag not in releases:
                    releases[tag] = _make_release(self._forge, tag)
                if tag not in assets:
                    assets[tag] = self._assets(releases[tag])
                self._upload(releases[tag], assets[tag], name, upload)
            for path in change.removals:
                check()
                folder, _, name = path.rpartition("/")
                tag = _tag_of(folder)
                if tag in releases and tag not in assets:
                    assets[tag] = self._assets(releases[tag])
                asset = assets.get(tag, {}).pop(name, None)
                if asset:
                    _remove(self._forge, asset)

    def admit(self, change: Change) -> None:
        names = [each.path.rpartition("/")[2] for stage in change.stages for each in stage]
        bad = sorted({name for name in names if not _NAME.fullmatch(name)})
        if bad:
            raise TargetError(
                f"{self.address}: GitHub would give {', '.join(bad[:3])} another name",
                hint="Set REPO_PORTABLE_NAMES=true, so that packages are published under names "
                "that every place can store.",
            )

    def _assets(self, release: GitRelease) -> dict[str, GitReleaseAsset]:
        return self._forge.call(lambda _: {each.name: each for each in release.get_assets()})

    def _upload(
        self, release: GitRelease, assets: dict[str, GitReleaseAsset], name: str, upload: Upload
    ) -> None:
        """Upload a file under another name, and rename it when it is there whole."""
        if len(assets) >= MOST_ASSETS and name not in assets:
            raise TargetError(
                f"{self.address}: GitHub allows {MOST_ASSETS} assets in the release "
                f"{release.tag_name}",
                hint="Use another publishing target; see docs/hosting.md.",
            )
        if f"{_NEW}{name}" in assets:
            _remove(self._forge, assets.pop(f"{_NEW}{name}"))
        fresh = self._forge.call(
            lambda _: release.upload_asset(
                str(upload.source), name=f"{_NEW}{name}", content_type="application/octet-stream"
            )
        )
        if name in assets:
            _remove(self._forge, assets.pop(name))
        assets[name] = self._forge.call(lambda _: fresh.update_asset(name))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ForgeError as error:
            message = f"{self.address}: {error.message}"
            if error.status in {401, 403, 404}:
                hint = "The token needs the right to write contents of that repository."
                raise TargetError(message, hint=hint) from error
            if error.refused:
                raise TargetError(message) from error
            raise TemporaryError(message) from error


def _download(url: str, path: Path) -> None:
    try:
        with requests.get(url, stream=True, timeout=60) as answer, path.open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_content(_CHUNK):
                file.write(chunk)
    except requests.RequestException as error:
        raise TemporaryError(f"{url} cannot be fetched: {error}") from error


def _tag_of(folder: str) -> str:
    return folder.replace("/", "-")


def _folder_of(tag: str, repository: str) -> str | None:
    """Return the folder whose files a release has; None where it has nothing of `repository`."""
    if tag == repository:
        return repository
    name, dash, arch = tag.rpartition("-")
    return f"{repository}/{arch}" if dash and name == repository else None


def _is_whole(asset: GitReleaseAsset) -> bool:
    return asset.state == "uploaded" and not asset.name.startswith((_NEW, PREFIX))


def _releases(forge: GitHubRepository) -> list[GitRelease]:
    return forge.call(lambda repository: list(repository.get_releases()))


def _remove(forge: GitHubRepository, asset: GitReleaseAsset) -> None:
    forge.call(lambda _: asset.delete_asset())


def _make_release(forge: GitHubRepository, tag: str) -> GitRelease:
    return forge.call(
        lambda repository: repository.create_git_release(
            tag, tag, "Files of a pacman repository.", prerelease=True
        )
    )


@dataclass(frozen=True, slots=True)
class _Leases:
    """The leases of a repository: assets of the release `tag`, with the text as their label.

    GitHub does not take two assets of one name, and a label can be changed.
    """

    forge: GitHubRepository
    tag: str
    translated: Callable[[], AbstractContextManager[None]]

    def read(self) -> Mapping[int, str]:
        with self.translated():
            return {number: asset.label or "" for number, asset in self._assets().items()}

    def create(self, number: int, text: str) -> bool:
        with self.translated(), tempfile.NamedTemporaryFile(prefix="caur-ci-lease-") as content:
            content.write(b"The label says who uploads.\n")
            content.flush()
            release = self._release() or _make_release(self.forge, self.tag)
            try:
                self.forge.call(
                    lambda _: release.upload_asset(
                        content.name, text, content_type="text/plain", name=name_of(number)
                    )
                )
            except ForgeError as error:
                if error.status == _EXISTS:
                    return False
                raise
        return True

    def replace(self, number: int, text: str, obsolete: Collection[int]) -> None:
        with self.translated():
            assets = self._assets()
            if number in assets:
                self.forge.call(lambda _: assets[number].update_asset(name_of(number), text))
            for asset in (assets[each] for each in obsolete if each in assets):
                _remove(self.forge, asset)

    def _release(self) -> GitRelease | None:
        return next((it for it in _releases(self.forge) if it.tag_name == self.tag), None)

    def _assets(self) -> dict[int, GitReleaseAsset]:
        release = self._release()
        if release is None:
            return {}
        found = self.forge.call(lambda _: list(release.get_assets()))
        numbers = {number_of(asset.name): asset for asset in found}
        return {number: asset for number, asset in numbers.items() if number is not None}
