"""The fields of a PKGBUILD, and how makepkg orders them in a `.SRCINFO`.

After makepkg's `util/schema.sh` and `srcinfo.sh` (pacman 6 and 7).
"""

from __future__ import annotations

from caur_ci.pkgbuild.wordlist import words_of

SUMS = (
    *("cksums", "md5sums", "sha1sums", "sha224sums", "sha256sums", "sha384sums", "sha512sums"),
    "b2sums",
)
ARRAYS = (
    *("arch", "backup", "checkdepends", "conflicts", "depends", "groups", "license"),
    *("makedepends", "noextract", "optdepends", "options", "provides", "replaces", "source"),
    "validpgpkeys",
    *SUMS,
)
STRINGS = ("changelog", "epoch", "install", "pkgbase", "pkgdesc", "pkgrel", "pkgver", "url")
# Fields that may have an architecture's name behind them, in the order of the `.SRCINFO`.
BY_ARCHITECTURE = (
    *("source", "provides", "conflicts", "depends", "replaces", "optdepends", "makedepends"),
    "checkdepends",
    *SUMS,
)
# What a package function may set.
OVERRIDES = frozenset(
    {
        *("pkgdesc", "arch", "url", "license", "groups", "depends", "optdepends", "provides"),
        *("conflicts", "replaces", "backup", "options", "install", "changelog", "checkdepends"),
    }
)
BASE_STRINGS = ("pkgdesc", "pkgver", "pkgrel", "epoch", "url", "install", "changelog")
BASE_ARRAYS = (
    *("arch", "groups", "license", "checkdepends", "makedepends", "depends", "optdepends"),
    *("provides", "conflicts", "replaces", "noextract", "options", "backup", "source"),
    "validpgpkeys",
    *SUMS,
)
PACKAGE_STRINGS = ("pkgdesc", "url", "install", "changelog")
PACKAGE_ARRAYS = (
    *("arch", "groups", "license", "checkdepends", "depends", "optdepends", "provides"),
    *("conflicts", "replaces", "options", "backup"),
)
OPTIONS = words_of("""
    autodeps buildflags ccache debug distcc docs emptydirs libtool lto makeflags purge staticlibs
    strip zipman
    """)
