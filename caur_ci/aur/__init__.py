"""The AUR: what it has, in which version, and whose it is."""

from caur_ci.aur.client import Aur
from caur_ci.aur.errors import AurError
from caur_ci.aur.package import AurPackage

__all__ = ["Aur", "AurError", "AurPackage"]
