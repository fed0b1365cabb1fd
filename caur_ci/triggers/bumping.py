"""The next bump of a package, and how `.CI/config` says it."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from caur_ci.config import Bump, PackageConfig
from caur_ci.errors import InputError
from caur_ci.keyvalue import KeyValueFile
from caur_ci.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 9999
_KEY, _OLD_KEY = "CI_PACKAGE_BUMP", "CI_PKGREL"


def next_bump(config: PackageConfig, version: str, published: str = "") -> Bump:
    """Return the bump with which a package makes a version of its own once more.

    `version` is that of its `.SRCINFO`; `published` the one that is in the repository, empty where
    that is not known. A version that only the build finds out (`pkgver()`) is known from there, or
    from the last bump. A bump that is for every version stays one.

    Raises InputError for versions that cannot be bumped.
    """
    count = config.bump.count if config.bump else config.pkgrel_bump or 0
    old = Version.parse(config.bump.version) if config.bump and config.bump.version else None
    there = Version.parse(published) if published else None
    released = _without_bump(there) if there else None
    last = old if old and old.pkgrel.isdecimal() else None
    base = _newest(it for it in (Version.parse(version), released, last) if it is not None)
    if not base.pkgrel.isdecimal():
        raise InputError(
            f"the pkgrel of {base} cannot be bumped: it is no whole number",
            hint="Raise it in the PKGBUILD instead.",
        )
    counts = [count] if count and (old is None or old.compare(base) == 0) else []
    if there and released and released.compare(base) == 0:
        counts.append(int(there.pkgrel.partition(".")[2] or 0))
    raised = max(counts, default=0) + 1
    if raised > _MOST:
        raise InputError(f"{base} cannot be bumped more than {_MOST} times")
    return Bump(raised, "" if count and old is None else str(base))


def bumped_version(bump: Bump, version: str) -> str:
    """Return the version that a bump makes, of `version` where it is for every version."""
    return f"{bump.version or version}.{bump.count}"


def with_bump(content: bytes, bump: Bump, *, origin: str) -> bytes:
    """Return the content of a `.CI/config` with another bump, and else as it was.

    Raises ConfigError for a file that cannot be read.
    """
    file = KeyValueFile.parse(content, origin=origin)
    key = _OLD_KEY if file.get(_OLD_KEY) and not (bump.version or file.get(_KEY)) else _KEY
    file.set(key, f"{bump.version}/{bump.count}" if bump.version else str(bump.count))
    return file.render()


def _without_bump(version: Version) -> Version:
    return Version(version.epoch, version.pkgver, version.pkgrel.partition(".")[0])


def _newest(versions: Iterable[Version]) -> Version:
    return reduce(lambda one, other: other if other.compare(one) > 0 else one, versions)
