"""What a package needs and offers, found while its archive is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.elf import NamesOutOfReachError
from caur_ci.linkage import LinkageReader
from scheduler.result.elfmember import DEBUG, read_elf_member

if TYPE_CHECKING:
    from scheduler.result.tar import Member, TarReader

_BUILDINFO = b".BUILDINFO"
_MAX_BUILDINFO = 4 * 1024**2
_LINKS = frozenset({b"1", b"2"})


class LinkageVisitor:
    """Looks at the members of a package file while it is read."""

    def __init__(self) -> None:
        self.reader = LinkageReader()

    def __call__(self, archive: TarReader, member: Member) -> None:
        """Take in one member. Raises BadPackageError."""
        name = member.plain_name
        if name == _BUILDINFO and member.size <= _MAX_BUILDINFO:
            self.reader.add_buildinfo(archive.read(member.size).decode("utf-8", "replace"))
        if name.startswith((b".", DEBUG)) or not (member.is_file or member.kind in _LINKS):
            return
        path = name.decode(errors="backslashreplace")
        self.reader.add_file(path)
        if not member.is_file:
            return
        try:
            elf = read_elf_member(archive, member, with_symbols=True)
        except NamesOutOfReachError:
            self.reader.add_unreadable_elf(path)
            return
        if elf is not None:
            self.reader.add_elf(path, elf)
