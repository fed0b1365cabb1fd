"""Interfere: what a package's `.CI` folder changes about its build.

Here the files are read and checked, by pipelines as by workers; they are applied where the package
is built.
"""

from caur_ci.interfere.bump import bumped_pkgrel
from caur_ci.interfere.errors import InterfereError
from caur_ci.interfere.files import Interfere
from caur_ci.interfere.generic import has_native, needed_packages

__all__ = ["Interfere", "InterfereError", "bumped_pkgrel", "has_native", "needed_packages"]
