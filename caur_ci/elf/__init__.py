"""What programs and libraries need from others when they are loaded, and what they offer.

Only what the loader goes by is looked at: program headers, the dynamic segment, and the tables that
this refers to; see "Object Files" in the System V ABI (gabi). A file is read once from its start
to its end, and everything has a limit, as it may have been made to be read for ever. Libraries for
ELF files go by section headers and want to seek; an archive is a stream, and sections may lie.
"""

from caur_ci.elf.model import ElfObject, Symbol, Symbols
from caur_ci.elf.reading import MAGIC, NamesOutOfReachError, read_elf

__all__ = ["MAGIC", "ElfObject", "NamesOutOfReachError", "Symbol", "Symbols", "read_elf"]
