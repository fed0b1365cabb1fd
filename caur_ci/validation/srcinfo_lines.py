"""The lines of a `.SRCINFO`, each with its number and whose it is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


# There are many of them, and nothing is looked for in them.
_LEFT_OUT = frozenset(
    {
        *("pkgdesc", "pkgver", "pkgrel", "epoch", "url", "arch", "groups", "noextract", "options"),
        *("backup", "optdepends"),
    }
)


class Entry(NamedTuple):
    """A value of a field. `package` is empty in the section of the pkgbase; lines begin at 1."""

    value: str
    line: int
    package: str


class SrcinfoLines:
    """The values of fields that are looked into, in the order of the file.

    Lines that are none are left out.
    """

    def __init__(self, fields: Mapping[str, list[Entry]]) -> None:
        self._fields = fields

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a file, whatever is in it."""
        fields: defaultdict[str, list[Entry]] = defaultdict(list)
        package = ""
        text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        for number, line in enumerate(text.split("\n"), start=1):
            key, equals, value = line.partition("=")
            key = key.strip()
            if not equals or key in _LEFT_OUT or key.startswith("#"):
                continue
            value = value.strip()
            if key == "pkgname":
                package = value
            fields[key].append(Entry(value, number, package))
        return cls(dict(fields))

    def __bool__(self) -> bool:
        return bool(self._fields)

    def values(self, field: str) -> list[Entry]:
        """Return the values of a field, in all sections; empty ones are left out."""
        return [entry for entry in self._fields.get(field, ()) if entry.value]

    def with_architectures(self, field: str) -> Iterator[tuple[str, list[Entry]]]:
        """Yield each variant of a field (`depends`, `depends_x86_64`) with its values."""
        for name in self._fields:
            if name == field or name.startswith(f"{field}_"):
                yield name, self.values(name)
