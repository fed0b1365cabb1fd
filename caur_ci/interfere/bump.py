"""The bump: `.CI/config` raises the pkgrel of a package, so that it is built once more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.config import Bump
from caur_ci.errors import InputError
from caur_ci.interfere.errors import InterfereError
from caur_ci.versions import Version

if TYPE_CHECKING:
    from caur_ci.config import PackageConfig

_WHOLE = re.compile(r"[0-9]+")


def bumped_pkgrel(config: PackageConfig, version: str) -> str:
    """Return the pkgrel that a package at `version` (with its pkgrel) is built with.

    It is that of `version` where there is no bump, or where the bump is for another version.

    Raises InterfereError where the bump makes no pkgrel.
    """
    current = _parse(version, "the version of the package")
    bump = configured_bump(config)
    if bump is None:
        return current.pkgrel
    if bump.version and _parse(bump.version, "CI_PACKAGE_BUMP").compare(current) != 0:
        return current.pkgrel
    if _WHOLE.fullmatch(current.pkgrel) is None:
        raise InterfereError(
            f"the pkgrel of {version} cannot be bumped to {current.pkgrel}.{bump.count}",
            hint="Only a whole pkgrel can be bumped. Raise it in the PKGBUILD instead.",
        )
    return f"{current.pkgrel}.{bump.count}"


def configured_bump(config: PackageConfig) -> Bump | None:
    """Return the bump that a package asks for, for whichever version that is."""
    if config.manage_aur:
        return None
    bump = config.bump or Bump(config.pkgrel_bump or 0)
    return bump if bump.count else None


def _parse(text: str, what: str) -> Version:
    try:
        return Version.parse(text)
    except InputError as error:
        raise InterfereError(f"{what}: {error.message}", hint=error.hint) from error
