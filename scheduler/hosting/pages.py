"""A branch that a forge serves as pages as a publishing target.

The branch has one commit, which is replaced: readers get all of a change at once, and no history of
packages grows.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.credentials import secrets_of, without_credentials
from caur_ci.environment import first_of
from caur_ci.errors import ConfigError
from caur_ci.git import GitRepository, Identity, TreeEntry
from caur_ci.git.remote import Credentials, RefUpdate, Remote
from caur_ci.git.repository import FILE_MODE
from caur_ci.git.trees import files_below, write_files
from caur_ci.names import is_ref_name
from caur_ci.process import run
from scheduler.hosting.protocol import BusyTargetError, TargetError, nothing_to_check
from scheduler.hosting.receiving import received

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from caur_ci.git.trees import TreeFile
    from scheduler.hosting.protocol import Change, Check, Upload, Uploader

# What GitHub takes in one file.
LARGEST = 100 * 1024 * 1024
_TRIES = 3
# Whatever the branch has now.
_ANY = ""
_LOOPBACK = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])[:/]")
_MESSAGE = "chore: publish\n"
_IDENTITY = Identity("caur-ci", "caur-ci@localhost")


class PagesTarget:
    """The branch `branch` of the repository at `url`."""

    def __init__(self, url: str, branch: str, *, secrets: Mapping[str, str]) -> None:
        if not is_ref_name(branch):
            raise ConfigError(f"{branch!r} is no name of a branch")
        if secrets_of(url):
            raise ConfigError(
                f"git+{without_credentials(url)} has a password in it",
                hint="Set ACCESS_TOKEN instead.",
            )
        if url.startswith("http://") and not _LOOPBACK.match(url):
            raise ConfigError(
                f"git+{url} would send the token for everybody on the way to read",
                hint="Use https://.",
            )
        self._url = url
        self._ref = f"refs/heads/{branch}"
        self._seen: str | None = _ANY
        token = first_of(secrets, "ACCESS_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN")
        # GitLab asks for this user; GitHub takes any.
        self._credentials = Credentials("oauth2", token) if token else None

    @property
    def address(self) -> str:
        return f"git+{self._url}#{self._ref.removeprefix('refs/heads/')}"

    @property
    def server(self) -> str:
        return ""

    def listing(self, repository: str) -> Mapping[str, int]:
        with self._branch() as branch:
            files = branch.files().items()
            return {path: each.size for path, each in files if path.startswith(f"{repository}/")}

    def fetch(self, paths: Iterable[str], root: Path) -> None:
        with self._branch() as branch:
            files = branch.files()
            for path in paths:
                if path not in files:
                    raise TargetError(f"{self.address} does not have {path}")
                content = next(branch.git.read_blobs([files[path].object_id]))
                with received(root / path) as part:
                    part.write_bytes(content or b"")

    def admit(self, change: Change) -> None:
        for upload in (each for stage in change.stages for each in stage):
            if upload.source.stat().st_size > LARGEST:
                raise TargetError(
                    f"{upload.path} has more than {LARGEST // 1024**2} MiB, which forges refuse",
                    hint="Use another publishing target; see docs/hosting.md.",
                )

    @contextmanager
    def held(self, repository: str, uploader: Uploader) -> Iterator[Check]:
        """Let one change be made, of what the branch has now."""
        del repository, uploader
        with self._remote() as (_, remote):
            self._seen = remote.refs(self._ref).get(self._ref)
        try:
            yield nothing_to_check
        finally:
            self._seen = _ANY

    def apply(self, change: Change, check: Check = nothing_to_check) -> None:
        uploads = [each for stage in change.stages for each in stage]
        for _ in range(_TRIES):
            with self._branch() as branch:
                if self._seen not in {_ANY, branch.commit}:
                    break
                check()
                if branch.replace(uploads, change.removals):
                    return
        raise BusyTargetError(
            f"somebody else is changing {self.address} at the same time", hint="Upload once more."
        )

    @contextmanager
    def _branch(self) -> Iterator[_Branch]:
        with self._remote() as (git, remote):
            commit = remote.refs(self._ref).get(self._ref)
            if commit:
                remote.fetch(self._ref)
            yield _Branch(git, remote, self._ref, commit)

    @contextmanager
    def _remote(self) -> Iterator[tuple[GitRepository, Remote]]:
        with tempfile.TemporaryDirectory(prefix="caur-ci-pages-") as folder:
            run(["git", "init", "--quiet", "--bare", folder])
            git = GitRepository.open(Path(folder))
            git.git("config", "remote.origin.url", self._url)
            yield git, Remote(git, "origin", self._credentials)


@dataclass(frozen=True, slots=True)
class _Branch:
    """A copy of the branch; `commit` is None where there is none yet."""

    git: GitRepository
    remote: Remote
    ref: str
    commit: str | None

    def files(self) -> dict[str, TreeFile]:
        found = files_below(self.git, self.commit) if self.commit else []
        return {each.path: each for each in found}

    def replace(self, uploads: Iterable[Upload], removals: Iterable[str]) -> bool:
        """Push the branch with these changes; tell whether nobody was faster."""
        ids = {path: each.object_id for path, each in self.files().items()}
        ids |= {".nojekyll": self.git.write_blob(b"")}
        for upload in uploads:
            name = self.git.git("hash-object", "-w", "--no-filters", str(upload.source))
            ids[upload.path] = name.decode().strip()
        for path in removals:
            ids.pop(path, None)
        entries = [TreeEntry(FILE_MODE, object_id, path) for path, object_id in ids.items()]
        tree = write_files(self.git, entries)
        commit = self.git.write_commit(tree, _MESSAGE, identity=_IDENTITY)
        return self.remote.push([RefUpdate(self.ref, commit, self.commit)])
