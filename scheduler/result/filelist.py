"""Which files a package ships, found while its archive is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.result.tar import Member, TarReader


class FileListVisitor:
    """Notes the paths of what is no folder, without what the package says of itself."""

    def __init__(self) -> None:
        self._paths: list[bytes] = []

    def __call__(self, _: TarReader, member: Member) -> None:
        """Take in one member."""
        if not member.is_folder and not member.plain_name.startswith(b"."):
            self._paths.append(member.plain_name)

    @property
    def lines(self) -> bytes:
        """The paths below the root, one a line; the few with a line feed in them are left out."""
        return b"\n".join(path for path in self._paths if b"\n" not in path)
