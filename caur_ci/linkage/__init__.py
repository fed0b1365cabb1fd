"""What packages need from others when they run, and what they offer: sonames and interpreters.

A *capability* is such a thing, as text: `lib:libfoo.so.1` is a library that 64-bit programs load,
`lib32:libfoo.so.1` one for 32-bit programs, `python:3.13` the interpreter that looks into
`usr/lib/python3.13`. An *index* tells it of all packages of a repository, another one tells the
names (symbols) that programs take from libraries. The database runner writes both beside the
databases.
"""

from caur_ci.linkage.capabilities import Found, capability_of_folder, library, offered_by
from caur_ci.linkage.describing import LinkageReader
from caur_ci.linkage.imports import FileImports, PackageImports
from caur_ci.linkage.index import IMPORTS, LINKAGE, LinkageIndexError, read_index
from caur_ci.linkage.record import PackageLinkage

__all__ = [
    "IMPORTS",
    "LINKAGE",
    "FileImports",
    "Found",
    "LinkageIndexError",
    "LinkageReader",
    "PackageImports",
    "PackageLinkage",
    "capability_of_folder",
    "library",
    "offered_by",
    "read_index",
]
