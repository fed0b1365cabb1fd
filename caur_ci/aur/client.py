"""Asks the AUR about many packages, by whichever way is cheaper."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from caur_ci.aur.archive import ArchiveCache, fetch_archive
from caur_ci.aur.errors import AurError
from caur_ci.aur.rpc import fetch_info
from caur_ci.web import WebError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from caur_ci.aur.package import AurPackage
    from caur_ci.web import Web

_log = logging.getLogger(__name__)

# An answer of the RPC is about 1 kB for each package, the archive some 10 MB for all.
_ARCHIVE_IS_CHEAPER = 10_000


class Aur:
    """The AUR at `url`. `cache` is a folder that is kept from run to run, where there is one."""

    def __init__(self, web: Web, url: str, *, cache: Path | None = None) -> None:
        self._web = web
        self._url = url.rstrip("/")
        self._cache = ArchiveCache(cache) if cache else None

    def look_up(self, bases: Mapping[str, str]) -> dict[str, AurPackage]:
        """Return by pkgbase what the AUR has of `bases`; those that it does not have are missing.

        `bases` names one package of each, because that is what the AUR is asked for. Where one way
        of asking fails, the other is tried. Raises AurError and WebError when both do.
        """
        if not bases:
            return {}
        ways: list[Callable[[], list[AurPackage]]] = [
            lambda: fetch_info(self._web, self._url, bases.values()),
            lambda: fetch_archive(self._web, self._url, bases.keys(), self._cache),
        ]
        if len(bases) > _ARCHIVE_IS_CHEAPER:
            ways.reverse()
        try:
            packages = ways[0]()
        except (AurError, WebError) as error:
            _log.warning("%s; asking the AUR in another way", error.message)
            packages = ways[1]()
        return _by_base(packages, bases)


def _by_base(packages: list[AurPackage], bases: Mapping[str, str]) -> dict[str, AurPackage]:
    """Return one package of each base: the one that was asked for, else the newest."""
    found: dict[str, AurPackage] = {}
    for package in packages:
        if package.base not in bases:
            continue  # it has moved to another base
        known = found.get(package.base)
        if known is None or package.name == bases[package.base] or _is_newer(package, known, bases):
            found[package.base] = package
    return found


def _is_newer(package: AurPackage, known: AurPackage, bases: Mapping[str, str]) -> bool:
    return known.name != bases[known.base] and package.last_modified > known.last_modified
