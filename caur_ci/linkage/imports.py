"""The names that programs of a package take from libraries and from what loads them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from caur_ci.names import is_package_name

if TYPE_CHECKING:
    from caur_ci.elf import ElfObject

# A vtable, and what tells the type of a class: whoever refers to them depends on its layout.
VTABLE, TYPE = "_ZTV", "_ZTI"
# Libraries that keep every name for ever, under versions of this form.
_KEPT = re.compile(r"(?:GLIBC|GLIBCXX|CXXABI|GCC)_.*")
_HEAD = re.compile(rb'\{"name":"([^"\\]*)","sha256":"([0-9a-f]*)"')


class FileImports(NamedTuple):
    """A program or library: what it needs by soname, and the names that it takes from anywhere."""

    path: str
    needs: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageImports:
    """What one package file takes. `sha256` is that of the file."""

    name: str
    base: str
    version: str
    sha256: str
    files: tuple[FileImports, ...] = ()

    def to_line(self) -> bytes:
        """Return it as a line of an index, without the line feed."""
        data = {
            "name": self.name,
            "sha256": self.sha256,
            "base": self.base,
            "version": self.version,
            "files": [[file.path, file.needs, file.names] for file in self.files],
        }
        return json.dumps(data, separators=(",", ":")).encode()

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Read a line of an index. Raises ValueError for what is none."""
        try:
            data: dict[str, Any] = json.loads(line)
            texts = {key: str(data[key]) for key in ("name", "sha256", "base", "version")}
            files = tuple(
                FileImports(str(path), tuple(map(str, needs)), tuple(map(str, names)))
                for path, needs, names in data["files"]
            )
        except (AttributeError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"it does not tell what a package takes: {error!r}") from error
        if not is_package_name(texts["name"]) or not is_package_name(texts["base"]):
            raise ValueError(f"{texts['name']!a} of {texts['base']!a} is no package")
        return cls(**texts, files=files)


def head_of(line: bytes) -> tuple[str, str] | None:
    """Return name and checksum in a line that `to_line` made, without reading the rest."""
    match = _HEAD.match(line)
    return (match[1].decode(), match[2].decode()) if match else None


def imports_of(path: str, elf: ElfObject) -> FileImports | None:
    """Return what a file takes that may ever go, None where that is nothing."""
    if elf.symbols is None:
        return None
    names = {
        f"{name}@{version}" if version else name
        for name, version, _ in elf.symbols.imported
        if not _KEPT.fullmatch(version)
    }
    # A program has copies of vtables of its own that come from a library.
    names.update(
        name for name, version, _ in elf.symbols.exported if name.startswith((VTABLE, TYPE))
    )
    return FileImports(path, elf.needs, tuple(sorted(names))) if names else None
