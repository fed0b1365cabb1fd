"""What a package asks of its build that this version cannot do.

Building something else than what was asked for would be worse than not building.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, load_package_config
from caur_ci.errors import InputError
from caur_ci.srcinfo import parse_fields
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from pathlib import Path

_INTERFERE_FILES = ("prepare", "interfere.patch", "PKGBUILD.prepend", "PKGBUILD.append")


def read_config(package: Path, pkgbase: str) -> PackageConfig:
    """Return the `.CI/config` of an exported package folder. Raises ConfigError."""
    path = package / PackageConfig.FILE
    if not path.is_file():
        return PackageConfig()
    origin = f"{pkgbase}/{PackageConfig.FILE}"
    return load_package_config(path.read_bytes(), origin=origin).config


def unsupported(package: Path, config: PackageConfig) -> str:
    """Return what cannot be done for the exported folder `package`, or an empty string."""
    found = [name for name in _INTERFERE_FILES if (package / ".CI" / name).exists()]
    if found:
        return f"needs interfere ({', '.join(found)}), which this version does not apply yet"
    if _bump_applies(package, config):
        return "needs its pkgrel bumped (CI_PACKAGE_BUMP), which this version does not do yet"
    if config.network is False:
        return "is to be built without network (BUILDER_NETWORK), which needs another executor"
    if config.pgp_check:
        return "wants PGP signatures checked (BUILDER_PGP_CHECK), which this version does not do"
    return ""


def _bump_applies(package: Path, config: PackageConfig) -> bool:
    if config.manage_aur:
        return False
    if config.bump is not None and config.bump.count:
        if not config.bump.version:
            return True
        try:
            version = parse_fields((package / ".SRCINFO").read_bytes()).version
            return vercmp(version, config.bump.version) == 0
        except (OSError, InputError):
            return True
    return bool(config.pkgrel_bump)
