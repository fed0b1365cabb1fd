"""pacman's sync databases: which packages a repository has, and which files are in these.

They are read from outside, as streams, with bounds on everything: whoever serves one may send
anything. Nothing of them is ever unpacked to disk.
"""

from caur_ci.syncdb.errors import SyncDatabaseError
from caur_ci.syncdb.reading import (
    DatabaseLimits,
    FileList,
    SyncPackage,
    read_entries,
    read_file_lists,
    read_packages,
)

__all__ = [
    "DatabaseLimits",
    "FileList",
    "SyncDatabaseError",
    "SyncPackage",
    "read_entries",
    "read_file_lists",
    "read_packages",
]
