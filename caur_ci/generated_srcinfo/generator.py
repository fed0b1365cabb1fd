"""Makes `.SRCINFO` files from PKGBUILDs, each once."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self, TypeAlias

from caur_ci.confined import Confined
from caur_ci.errors import InputError
from caur_ci.generated_srcinfo.cache import Generated, SrcinfoCache
from caur_ci.pkgbuild.foreign import evaluated_srcinfo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from caur_ci.git import GitRepository

_PKGBUILD = "PKGBUILD"


class UnsureSrcinfoError(InputError):
    """What the `.SRCINFO` would be cannot be told without running the PKGBUILD."""


# A file's content, why there is none though there is a PKGBUILD, or nothing where there is neither.
Srcinfo: TypeAlias = bytes | UnsureSrcinfoError | None


@dataclass(frozen=True, slots=True)
class PkgbuildFolder:
    """A PKGBUILD, and what tells the names of the files beside it where they matter."""

    pkgbuild: bytes
    names: Callable[[], Collection[str]]


class SrcinfoGenerator:
    """Makes what folders would have as `.SRCINFO`; nothing is run, no folder is changed.

    What was made for a folder is kept in `cache` until the folder changes.
    """

    def __init__(self, cache: SrcinfoCache | None = None) -> None:
        self._cache = cache

    @classmethod
    def beside(cls, git: GitRepository) -> Self:
        """Keep what is made in the repository's git directory."""
        told = git.git("rev-parse", "--git-common-dir").decode().rstrip("\n")
        return cls(SrcinfoCache(git.folder / told / "caur-ci" / "srcinfo.sqlite"))

    def of_trees(self, git: GitRepository, trees: Mapping[str, str]) -> dict[str, Srcinfo]:
        """Return the `.SRCINFO` of each package, given the id of its folder's tree."""
        known = self._known(set(trees.values()))
        wanted = sorted(set(trees.values()) - known.keys())
        blobs = git.read_blobs([f"{tree}:{_PKGBUILD}" for tree in wanted])
        folders = {
            tree: PkgbuildFolder(pkgbuild, partial(_names, git, tree))
            for tree, pkgbuild in zip(wanted, blobs, strict=True)
            if pkgbuild is not None
        }
        made = self._make(folders)
        return _answers(trees, {**known, **made})

    def of_folders(
        self, folders: Iterable[tuple[str, PkgbuildFolder | None]]
    ) -> dict[str, Srcinfo]:
        """Return the `.SRCINFO` of packages whose files are at hand."""
        keys: dict[str, str] = {}
        found: dict[str, PkgbuildFolder] = {}
        missing: dict[str, Srcinfo] = {}
        for package, folder in folders:
            if folder is None:
                missing[package] = None
                continue
            keys[package] = _key(folder)
            found[keys[package]] = folder
        known = self._known(found)
        made = self._make({key: found[key] for key in found if key not in known})
        return {**missing, **_answers(keys, {**known, **made})}

    def _known(self, keys: Collection[str]) -> dict[str, Generated]:
        return self._cache.read(keys) if self._cache is not None and keys else {}

    def _make(self, folders: Mapping[str, PkgbuildFolder]) -> dict[str, Generated]:
        if not folders:
            return {}
        workers = min(len(folders), len(os.sched_getaffinity(0)))
        with Confined() as confined, ThreadPoolExecutor(workers) as pool:
            results = pool.map(partial(_generate, confined), folders.values())
            made = dict(zip(folders, results, strict=True))
        lasting = {key: one for key, one in made.items() if one.lasts}
        if self._cache is not None and lasting:
            self._cache.write(lasting)
        return made


def _generate(confined: Confined, folder: PkgbuildFolder) -> Generated:
    # Names of files hardly ever matter, and may take a while to be had.
    found = evaluated_srcinfo(confined, folder.pkgbuild, origin=_PKGBUILD, files=None)
    if found.srcinfo is None:
        names = folder.names()
        found = evaluated_srcinfo(confined, folder.pkgbuild, origin=_PKGBUILD, files=names)
    if found.srcinfo is not None:
        return Generated(found.srcinfo)
    doubt = found.doubts[0]
    # What has no place in the file is a limit, which another machine may not come to.
    return Generated(doubt=f"{_PKGBUILD}, {doubt}", lasts=bool(doubt.line or doubt.field))


def _answers(keys: Mapping[str, str], found: Mapping[str, Generated]) -> dict[str, Srcinfo]:
    return {package: _answer(package, found.get(key)) for package, key in keys.items()}


def _answer(package: str, generated: Generated | None) -> Srcinfo:
    if generated is None:
        return None
    if generated.content is not None:
        return generated.content
    return UnsureSrcinfoError(
        f"{package}/.SRCINFO cannot be told from the PKGBUILD without running it: "
        f"{generated.doubt}",
        hint=f"Commit one: `caur-ci srcinfo --write {package}` makes it.",
    )


def _names(git: GitRepository, tree: str) -> list[str]:
    return [entry.name for entry in git.entries(tree)]


def _key(folder: PkgbuildFolder) -> str:
    names = "\0".join(sorted(folder.names())).encode("utf-8", "surrogateescape")
    return "files:" + hashlib.sha256(names + b"\0\0" + folder.pkgbuild).hexdigest()
