"""Dependency trees made of a few words."""

from __future__ import annotations

from caur_ci.deptree import DependencyTree

_FIELDS = {"": "depends", "make": "makedepends", "check": "checkdepends"}


def tree_of_words(needs: dict[str, str]) -> DependencyTree:
    """Make a tree: in `{"a": "b make:c check:d", "b": ""}` package `a` needs three others."""
    return DependencyTree.read({name: _srcinfo(name, words) for name, words in needs.items()})


def _srcinfo(package: str, words: str) -> bytes:
    lines = [f"pkgbase = {package}", "pkgver = 1", "pkgrel = 1"]
    for word in words.split():
        kind, _, name = word.rpartition(":")
        lines.append(f"{_FIELDS[kind]} = {name}")
    return "\n".join([*lines, f"pkgname = {package}"]).encode()
