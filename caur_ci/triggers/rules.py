"""Whom a library's move concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from caur_ci.triggers.moves import LibraryMove

# What is only repackaged is built against nothing.
_REPACKAGED = "-bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """A package of the repository: what it names as triggers, and the names that it depends on."""

    name: str
    triggers: tuple[str, ...] = ()
    depends: frozenset[str] = frozenset()
    pkgnames: tuple[str, ...] = ()


class TriggerRules:
    """What leads to rebuilds in one repository.

    `everywhere` are libraries that lead to rebuilds of every package that depends on them, `never`
    those that lead to none.
    """

    def __init__(
        self,
        packages: Iterable[Dependent],
        *,
        everywhere: Collection[str] = (),
        never: Collection[str] = (),
    ) -> None:
        self._packages = {package.name: package for package in packages}
        self._everywhere = frozenset(everywhere)
        self._never = frozenset(never)
        self._folder_of = {
            name: package.name
            for package in self._packages.values()
            for name in (*package.pkgnames, package.name)
        }

    def triggered(self, moves: Iterable[LibraryMove]) -> Iterator[tuple[str, LibraryMove, str]]:
        """Yield each package that a move concerns, the move, and the name by which it does."""
        for move in moves:
            names = self._names(move)
            everywhere = bool(names & self._everywhere)
            for package in self._packages.values() if names else ():
                by = next((it for it in package.triggers if it in names), "")
                if not by and everywhere and not package.name.endswith(_REPACKAGED):
                    needed = (names | move.provides) & package.depends
                    by = min(names & self._everywhere) if needed else ""
                if by and not self._is_endless(package.name, move):
                    yield package.name, move, by

    def is_wanted(self, package: str, library: str, by: str) -> bool:
        """Tell whether `library` still leads to a rebuild of a package by the name `by`.

        Where that is empty, the package could not be read when the library moved.
        """
        if self._never & {library, by} or package not in self._packages:
            return False
        named = by or library
        return named in self._packages[package].triggers or named in self._everywhere

    def _names(self, move: LibraryMove) -> frozenset[str]:
        if move.library in self._never:
            return frozenset()
        return (move.names | {move.library}) - self._never

    def _is_endless(self, package: str, move: LibraryMove) -> bool:
        """Tell whether rebuilding a package would lead to the next rebuild of itself."""
        if move.library == package:
            return True
        return move.is_rebuild and package in self._behind(move.library)

    def _behind(self, library: str) -> set[str]:
        """Return the packages whose moves lead, over however many rebuilds, to one of `library`."""
        found: set[str] = set()
        waiting = [library]
        while waiting:
            package = self._packages.get(waiting.pop())
            for name in package.triggers if package else ():
                folder = self._folder_of.get(name)
                if folder is not None and folder not in found:
                    found.add(folder)
                    waiting.append(folder)
        return found


def dependency_names(relations: Iterable[str]) -> frozenset[str]:
    """Return the names in dependencies such as `foo>=1`."""
    return frozenset(_name(text) for text in relations)


def _name(relation: str) -> str:
    return relation.replace("<", "=").replace(">", "=").partition("=")[0].strip()
