"""Puts together what one package needs, from its files in the order in which they come."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.linkage.capabilities import (
    BY_PACKAGE,
    Found,
    capability_of_folder,
    is_capability,
    library,
    offered_as_package,
    offered_by,
)
from caur_ci.linkage.imports import PackageImports, imports_of
from caur_ci.linkage.record import MAX_CAPABILITIES as _MOST_NEEDS
from caur_ci.linkage.record import PackageLinkage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.elf import ElfObject
    from caur_ci.linkage.imports import FileImports

_MAX_ELF = 50_000
_MAX_NAMES = 32 * 1024**2
# Less than a line of an index may have, as what is written there is a little longer.
_MAX_IMPORTS = 5 * 1024**2
_MAX_PATHS = 3
# Programs for other processors are data: firmware, or tests of a disassembler.
_MACHINES = {
    "x86_64": {62, 3},
    "i686": {3},
    "aarch64": {183},
    "armv7h": {40},
    "riscv64": {243},
    "loong64": {258},
}
_STANDARD = ("usr/lib", "usr/lib64", "lib", "lib64", "usr/lib32", "lib32")
_INSTALLED = re.compile(r"^installed = (\S+)-([^\s-]+-[^\s-]+)-[^\s-]+$", re.MULTILINE)
_OCAML = re.compile(r"usr/lib/ocaml/.+\.(?:cmi|cmxa?|cma)")


class LinkageReader:
    """Takes in the files of one package; what it remembers of them is bounded."""

    def __init__(self) -> None:
        self._elf: list[tuple[str, ElfObject]] = []
        self._folders: dict[str, list[str]] = defaultdict(list)
        self._libraries: set[str] = set()
        self._by_package: dict[str, list[str]] = defaultdict(list)
        self._own: set[str] = set()
        self._built_with: dict[str, str] = {}
        self._left = _MAX_NAMES
        self._imports: list[FileImports] = []
        self._imports_left = _MAX_IMPORTS
        self._problem = ""

    def add_file(self, path: str) -> None:
        """Take in the path, below the root, of a file or link."""
        if ".so" in posixpath.basename(path) and self._takes(path):
            self._libraries.add(path)
        self._own.update(
            capability
            for capability, found in offered_by(path.encode(errors="replace"))
            if found is Found.USUAL and not capability.startswith("lib")
        )
        capability = capability_of_folder(path)
        if capability is not None:
            _note(self._folders[capability], path)
        if path.endswith(".node"):
            _note(self._by_package["nodejs"], path)
        elif _OCAML.fullmatch(path):
            _note(self._by_package["ocaml"], path)

    def add_elf(self, path: str, elf: ElfObject) -> None:
        """Take in what the file at `path` says as a program or library."""
        if len(self._elf) < _MAX_ELF and self._takes(path, elf.soname, *elf.needs):
            self._elf.append((path, replace(elf, symbols=None)))
        imports = imports_of(path, elf)
        if imports is not None:
            size = len(path) + sum(map(len, (*imports.needs, *imports.names)))
            self._imports_left -= size
            if self._imports_left >= 0:
                self._imports.append(imports)

    def add_unreadable_elf(self, path: str) -> None:
        """Take note of a program that cannot be looked at."""
        self._problem = self._problem or f"{path} cannot be read as a program"

    def add_buildinfo(self, text: str) -> None:
        """Take in `.BUILDINFO`, which says what was installed where the package was built."""
        for name, version in _INSTALLED.findall(text):
            capability = offered_as_package(name, version)
            if capability is not None:
                self._built_with[capability.partition(":")[0]] = capability

    def package(
        self, *, name: str, base: str, version: str, arch: str, sha256: str
    ) -> PackageLinkage:
        """Return what the package needs and offers, now that all of it was seen."""
        needs: dict[str, list[str]] = defaultdict(list)
        own = self._own | {offered_as_package(name, version)}
        for capability, path in (*self._libraries_needed(arch), *self._interpreters_needed()):
            if capability not in own and is_capability(capability) and len(needs) < _MOST_NEEDS:
                _note(needs[capability], path)
        return PackageLinkage(
            name=name,
            base=base,
            version=version,
            sha256=sha256,
            needs={capability: tuple(needs[capability]) for capability in sorted(needs)},
            offers=tuple(sorted(self._offered(arch)))[:_MOST_NEEDS],
            problem=self._problem,
        )

    def imports(self, linkage: PackageLinkage) -> PackageImports:
        """Return the names that the package takes; of very many, only those of some files."""
        return PackageImports(
            name=linkage.name,
            base=linkage.base,
            version=linkage.version,
            sha256=linkage.sha256,
            files=tuple(self._imports),
        )

    def _libraries_needed(self, arch: str) -> Iterator[tuple[str, str]]:
        # What a package brings along is meant for itself, by whichever way its programs find it.
        bundled = {posixpath.basename(path) for path in self._libraries}
        bundled.update(elf.soname for _, elf in self._elf if elf.soname)
        for path, elf in self._native(arch):
            for soname in elf.needs:
                if "/" not in soname and soname not in bundled:
                    yield library(soname, elf.bits, arch), path

    def _interpreters_needed(self) -> Iterator[tuple[str, str]]:
        for capability, paths in self._folders.items():
            yield from ((capability, path) for path in paths)
        for interpreter in BY_PACKAGE:
            built_with = self._built_with.get(interpreter)
            if built_with is not None:
                yield from ((built_with, path) for path in self._by_package[interpreter])

    def _offered(self, arch: str) -> set[str]:
        """Return what ldconfig makes links for: sonames of libraries where everybody looks."""
        return {
            capability
            for path, elf in self._native(arch)
            if elf.soname
            and is_capability(capability := library(elf.soname, elf.bits, arch))
            and posixpath.dirname(path) in _STANDARD
            and posixpath.join(posixpath.dirname(path), elf.soname) not in self._libraries
        }

    def _native(self, arch: str) -> Iterator[tuple[str, ElfObject]]:
        machines = _MACHINES.get(arch)
        for path, elf in self._elf:
            if machines is None or elf.machine in machines:
                yield path, elf

    def _takes(self, *names: str) -> bool:
        self._left -= sum(map(len, names))
        if self._left < 0:
            self._problem = "it has more libraries than are looked at"
        return self._left >= 0


def _note(paths: list[str], path: str) -> None:
    if len(paths) < _MAX_PATHS:
        paths.append(path)
