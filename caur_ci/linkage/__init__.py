"""What packages need from others when they run, and what they offer: sonames and interpreters.

A *capability* is such a thing, as text: `lib:libfoo.so.1` is a library that 64-bit programs load,
`lib32:libfoo.so.1` one for 32-bit programs, `python:3.13` the interpreter that looks into
`usr/lib/python3.13`. An *index* tells it of all packages of a repository; the database runner
writes it beside the databases.
"""

from caur_ci.linkage.capabilities import Found, capability_of_folder, library, offered_by
from caur_ci.linkage.describing import LinkageReader
from caur_ci.linkage.index import LinkageIndexError, index_name, read_index, write_index
from caur_ci.linkage.record import PackageLinkage

__all__ = [
    "Found",
    "LinkageIndexError",
    "LinkageReader",
    "PackageLinkage",
    "capability_of_folder",
    "index_name",
    "library",
    "offered_by",
    "read_index",
    "write_index",
]
