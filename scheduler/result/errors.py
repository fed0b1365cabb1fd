"""The error of this package."""

from __future__ import annotations

from caur_ci.errors import InputError


class BadPackageError(InputError):
    """What the build made is no package, or not one that makepkg would make."""
