"""What can be wrong with a database."""

from __future__ import annotations

from caur_ci.errors import CaurError


class SyncDatabaseError(CaurError):
    """A file is no sync database, is cut off or damaged, or is larger than one may be."""
