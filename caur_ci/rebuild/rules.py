"""Why a broken package is not rebuilt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, load_package_config
from caur_ci.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from caur_ci.deptree import DependencyTree
    from caur_ci.package_folders import PackageFolders
    from caur_ci.rebuild.detection import LostNeed

_REPACKAGED = "-bin"
# It only tells whether a rebuild is of use, so a line that looks like one does no harm.
_BUILD = re.compile(rb"^[ \t]*(?:function[ \t]+build\b|build[ \t]*\([ \t]*\))", re.MULTILINE)


class RebuildRules:
    """What rebuilds are of use in one repository.

    `never` are packages whose libraries lead to no rebuilds (CI_REBUILD_BLACKLIST).
    """

    def __init__(
        self, folders: PackageFolders, tree: DependencyTree, *, never: Collection[str] = ()
    ) -> None:
        self._folders = folders
        self._never = frozenset(never)
        self._bases = {
            fields.pkgbase: name for name, fields in sorted(tree.fields.items()) if fields.pkgbase
        }

    def folder_of(self, pkgbase: str) -> str:
        """Return the folder that a pkgbase is built from, empty where there is none."""
        if pkgbase in self._folders.packages:
            return pkgbase
        return self._bases.get(pkgbase, "")

    def why_not(self, pkgbase: str, lost: tuple[LostNeed, ...]) -> str:
        """Return why a package is not rebuilt for what it has lost, an empty string if it is."""
        folder = self.folder_of(pkgbase)
        if not folder:
            return "no folder of the repository makes it"
        if pkgbase.endswith(_REPACKAGED):
            return "it is only repackaged (-bin), so a rebuild would be the same"
        if all(need.library in self._never for need in lost):
            return "CI_REBUILD_BLACKLIST names the library"
        return self._why_not(folder)

    def _why_not(self, folder: str) -> str:
        (data,) = self._folders.read(PackageConfig.FILE, [folder]).values()
        try:
            config = load_package_config(
                data or b"", origin=f"{folder}/{PackageConfig.FILE}"
            ).config
        except ConfigError as error:
            return error.message
        if config.rebuild_ignore_abi:
            return "its configuration says CI_REBUILD_IGNORE_ABI"
        (pkgbuild,) = self._folders.read("PKGBUILD", [folder]).values()
        if _BUILD.search(pkgbuild or b"") is None:
            return "its PKGBUILD has no build(), so a rebuild would be the same"
        return ""
