"""Made-up repositories of PKGBUILD folders that look like real ones, the same in every run."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# What packages take from the distribution, so that nothing in the repository provides it.
_OUTSIDE = tuple(
    f"{kind}{number}" for kind in ("lib", "python-", "qt6-", "perl-") for number in range(200)
)
_TOOLS = ("cmake", "git", "meson", "ninja", "gcc", "rust", "go", "nodejs", "python-build")


@dataclass(frozen=True, slots=True)
class _Package:
    """One folder; `names` are the packages that it produces."""

    folder: str
    names: tuple[str, ...]
    provides: tuple[str, ...]


def write_packages(folder: Path, count: int, *, seed: int = 2534) -> None:
    """Write `count` package folders below `folder`.

    The shares are those of a large real repository: three in ten are VCS packages that provide
    another name, one in twelve is split, and a package has about six dependencies, of which one
    or two come from the repository itself, most of them from few popular packages.
    """
    chance = random.Random(seed)
    packages = [_package(chance, number) for number in range(count)]
    popularity = list(accumulate(1 / (place + 2) for place in range(count)))
    for number, package in enumerate(packages):
        # Only earlier ones: a real repository has hardly any cycles.
        inside = (
            chance.choices(
                packages[:number], cum_weights=popularity[:number], k=chance.choice((0, 1, 1, 2, 4))
            )
            if number
            else []
        )
        _write(folder / package.folder, package, inside, chance)


def _package(chance: random.Random, number: int) -> _Package:
    stem = f"{chance.choice(('lib', 'python-', 'ttf-', 'qt-', '', '', ''))}sample{number}"
    if chance.random() < 0.02:
        stem = f"{stem}{chance.choice(('++', '.sh', '2.0'))}"
    if chance.random() < 0.3:
        return _Package(f"{stem}-git", (f"{stem}-git",), (f"{stem}=1.{number}",))
    names = (stem, f"{stem}-docs", f"{stem}-gui") if chance.random() < 0.08 else (stem,)
    soname = (f"lib{stem}.so",) if stem.startswith("lib") else ()
    return _Package(stem, names, soname)


def _write(folder: Path, package: _Package, inside: list[_Package], chance: random.Random) -> None:
    wanted = [chance.choice((*other.names, *other.provides)) for other in inside]
    build = [name for name in wanted if chance.random() < 0.3]
    lines = [
        f"pkgbase = {package.folder}",
        "\tpkgdesc = A package that exists to be counted",
        f"\tpkgver = {chance.randint(0, 9)}.{chance.randint(0, 99)}",
        f"\tpkgrel = {chance.randint(1, 9)}",
        f"\turl = https://example.org/{package.folder}",
        "\tarch = x86_64",
        "\tlicense = GPL-3.0-or-later",
        *(["\tepoch = 1"] if chance.random() < 0.04 else []),
        *(f"\tmakedepends = {name}" for name in (*chance.sample(_TOOLS, 3), *build)),
        *(f"\tdepends = {name}" for name in (*chance.sample(_OUTSIDE, 4), *wanted)),
        *(f"\tprovides = {name}" for name in package.provides),
        f"\tsource = https://example.org/{package.folder}.tar.gz",
        f"\tsha256sums = {chance.getrandbits(256):064x}",
    ]
    for name in package.names:
        lines += ["", f"pkgname = {name}"]
        if len(package.names) > 1:
            lines += [f"\tdepends = {needed}" for needed in (*wanted, *package.names[:1])]
    (folder / ".CI").mkdir(parents=True)
    (folder / ".SRCINFO").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / ".CI" / "config").write_text("CI_PKGBUILD_SOURCE=aur\n", encoding="utf-8")
    (folder / "PKGBUILD").write_text(f"# {package.folder}\n", encoding="utf-8")
