"""Branch `state`: what is known of each package's source, in the form of the existing system.

It holds a file for each package with KEY=VALUE lines (`CI_GIT_COMMIT`, the upstream commit that was
built last; `CI_PKGBUILD_TIMESTAMP`, the AUR's time that was taken over last), and `.version-state`
with the versions of libraries (see `caur_ci.triggers.snapshots`).
It has one commit without parents that is replaced each time. The existing system may take a turn at
any time and writes it anew from what it knows, so what only this project knows is on branch `caur`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from caur_ci.errors import ConfigError
from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE
from caur_ci.keyvalue import KeyValueFile
from caur_ci.names import is_package_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from caur_ci.git import GitRepository, Identity

_log = logging.getLogger(__name__)

STATE_BRANCH = "refs/heads/state"
_VERSIONS = ".version-state"
_MESSAGE = "chore(state): update state\n"


def read_version_state(git: GitRepository, commit: str | None) -> bytes:
    """Return the versions of libraries on the branch at `commit`, without reading all the rest."""
    (content,) = git.read_blobs([f"{commit}:{_VERSIONS}"]) if commit else (None,)
    return content or b""


class StateBranch:
    """The state of all packages. Changes are kept until `write`."""

    def __init__(
        self, commit: str | None, files: dict[str, bytes], others: Iterable[TreeEntry]
    ) -> None:
        self._commit = commit
        self._files = files
        self._others = tuple(others)
        self._stored = dict(files)

    @classmethod
    def read(cls, git: GitRepository, commit: str | None) -> Self:
        """Read the branch at `commit`, None where there is none."""
        entries = git.entries(commit) if commit else []
        files = [e for e in entries if not e.is_folder and _is_ours(e.name)]
        contents = git.read_blobs([entry.object_id for entry in files])
        named = {e.name: content or b"" for e, content in zip(files, contents, strict=True)}
        return cls(commit, named, (entry for entry in entries if entry.name not in named))

    def values(self, package: str) -> dict[str, str]:
        """Return all that is known about a package."""
        content = self._files.get(package)
        if not content:
            return {}
        return {key: a.value for key, a in _parse(package, content).assignments().items()}

    def set(self, package: str, key: str, value: str) -> None:
        """Remember something about a package; an empty value forgets it."""
        file = _parse(package, self._files.get(package, b""))
        if value:
            file.set(key, value)
        else:
            file.remove(key)
        self._files[package] = file.render()

    @property
    def version_state(self) -> bytes:
        """The versions of libraries, as the existing system writes them down."""
        return self._files.get(_VERSIONS, b"")

    @version_state.setter
    def version_state(self, content: bytes) -> None:
        if content or _VERSIONS in self._files:
            self._files[_VERSIONS] = content

    def keep_only(self, packages: Collection[str]) -> None:
        """Forget packages that are gone."""
        known = {*packages, _VERSIONS}
        self._files = {name: data for name, data in self._files.items() if name in known}

    def write(self, git: GitRepository, identity: Identity) -> str | None:
        """Store the state; return the commit to set the branch to, the present one if unchanged."""
        files = {
            name: data for name, data in self._files.items() if data.strip() or name == _VERSIONS
        }
        if files == self._stored:
            return self._commit
        names = sorted(files)
        ids = git.write_blobs([files[name] for name in names])
        entries = [TreeEntry(FILE_MODE, oid, name) for name, oid in zip(names, ids, strict=True)]
        tree = git.write_tree([*self._others, *entries])
        return git.write_commit(tree, _MESSAGE, identity=identity)


def _is_ours(name: str) -> bool:
    return is_package_name(name) or name == _VERSIONS


def _parse(package: str, content: bytes) -> KeyValueFile:
    try:
        return KeyValueFile.parse(content, origin=f"{package} on branch state")
    except ConfigError as error:
        _log.warning("%s; it is written anew", error.message)
        return KeyValueFile.parse(b"", origin=package)
