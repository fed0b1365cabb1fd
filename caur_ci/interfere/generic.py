"""What every package gets without asking for it, by its name and its PKGBUILD."""

from __future__ import annotations

import re

_BY_SUFFIX = {"-git": "git", "-svn": "subversion", "-bzr": "breezy", "-hg": "mercurial"}
_OPTIONS = re.compile(rb"^[ \t]*options\+?=\(([^)]*)\)", re.MULTILINE)
_NATIVE = b"-march=native"


def needed_packages(pkgbase: str, pkgbuild: bytes) -> tuple[str, ...]:
    """Return the packages that have to be installed before anything is done with the PKGBUILD."""
    needed = [tool for suffix, tool in _BY_SUFFIX.items() if pkgbase.endswith(suffix)]
    if pkgbase.startswith("lib32-"):
        needed.append("multilib-devel")
    if any(b"ccache" in re.split(rb"[\s'\"]+", words) for words in _OPTIONS.findall(pkgbuild)):
        needed.append("ccache")
    return tuple(needed)


def has_native(pkgbuild: bytes) -> bool:
    """Tell whether the PKGBUILD wants code for the very processor that it is built on.

    Nobody else could be sure to run that, so the option is taken out.
    """
    return _NATIVE in pkgbuild
