"""What can go wrong with the AUR."""

from __future__ import annotations

from caur_ci.errors import TemporaryError


class AurError(TemporaryError):
    """The AUR answered, but nothing that can be used."""
