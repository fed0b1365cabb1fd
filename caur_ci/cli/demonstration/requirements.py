"""The programs that the demonstration cannot do without."""

from __future__ import annotations

import shutil

from caur_ci.errors import ProcessError
from scheduler import embedded

_PROGRAMS = (
    "git",
    "makepkg",
    "pacman",
    "repo-add",
    "vercmp",
    "bsdtar",
    "gpg",
    "fakeroot",
    "zstd",
)
_HINT = (
    "In a checkout, `make demo` installs what is missing. By hand it is, on Debian and Ubuntu: "
    "apt install makepkg pacman-package-manager libarchive-tools gnupg fakeroot zstd binutils; "
    "on Arch: pacman -S base-devel."
)


def check_programs() -> None:
    """Raise CaurError, naming all that is missing at once."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        raise ProcessError(f"not installed: {', '.join(missing)}", hint=_HINT)
    embedded.find_server()
