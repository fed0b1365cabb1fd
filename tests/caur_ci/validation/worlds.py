"""Repositories that are only in memory, and what is found in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from caur_ci.pkgbuild.recipe import Recipe, _read
from caur_ci.validation import Checker, Report, Snapshot, Surroundings
from caur_ci.validation.snapshot import Folder, FolderFile, is_read

# By path below the repository. What is no bytes is a file as git has it, without its content.
Content = str | bytes | FolderFile
Files = Mapping[str, Content]

PKGBUILD = """\
pkgname={name}
pkgver=1
pkgrel=1
arch=(any)
license=(MIT)
{more}package() {{ :; }}
"""
SRCINFO = """\
pkgbase = {name}
\tpkgver = 1
\tpkgrel = 1
\tarch = any
\tlicense = MIT
{more}
pkgname = {name}
"""


def package(
    name: str = "tool", *, bash: str = "", info: str = "", config: str = ""
) -> dict[str, Content]:
    """Return a folder in which nothing is wrong; `bash` and `info` say the same in both files."""
    lines = "".join(f"\t{line}\n" for line in info.splitlines())
    found: dict[str, Content] = {
        f"{name}/PKGBUILD": PKGBUILD.format(name=name, more=f"{bash}\n" if bash else ""),
        f"{name}/.SRCINFO": SRCINFO.format(name=name, more=lines),
    }
    return {**found, f"{name}/.CI/config": config} if config else found


def snapshot_of(
    files: Files, *, unusable: tuple[str, ...] = (), submodules: tuple[str, ...] = ()
) -> Snapshot:
    """Return the state of a repository with these files and no others."""
    listed: dict[str, dict[str, FolderFile]] = {}
    contents: dict[str, dict[str, bytes]] = {}
    own: dict[str, bytes] = {}
    for path, content in files.items():
        name, _, below = path.partition("/")
        data = content.encode() if isinstance(content, str) else content
        if name == ".ci":
            assert isinstance(data, bytes)
            own[path] = data
            continue
        entry = data if isinstance(data, FolderFile) else FolderFile(size=len(data))
        listed.setdefault(name, {})[below] = entry
        if isinstance(data, bytes) and is_read(below):
            contents.setdefault(name, {})[below] = data
    folders = {name: Folder(name, it, contents.get(name, {})) for name, it in listed.items()}
    return Snapshot(
        folders=folders,
        checked=frozenset(folders),
        own=own,
        unusable=unusable,
        submodules=submodules,
    )


def recipes_of(snapshot: Snapshot) -> dict[str, Recipe]:
    """Evaluate the PKGBUILDs in this process, which is as much as tests of small ones need."""
    return {
        folder.name: Recipe.from_dict(
            _read(
                folder.pkgbuild.decode("latin-1"),
                None if folder.srcinfo is None else folder.srcinfo.decode("latin-1"),
                folder.top_names,
            )
        )
        for folder in snapshot.folders.values()
        if folder.pkgbuild is not None
    }


def report_on(
    state: Files | Snapshot,
    *,
    surroundings: Surroundings | None = None,
    nvchecker: Mapping[str, str] | None = None,
) -> Report:
    """Return what is wrong with a state."""
    snapshot = state if isinstance(state, Snapshot) else snapshot_of(state)
    checker = Checker(snapshot, surroundings=surroundings)
    checker.recipes = recipes_of(snapshot)
    checker.nvchecker = nvchecker or {}
    return checker.report(with_repository=True)


def executable(files: Files, path: str) -> Snapshot:
    """Return a state in which one file is a program."""
    snapshot = snapshot_of(files)
    content = snapshot.content(path)
    assert content is not None
    return snapshot.with_file(path, content, executable=True)


def only(snapshot: Snapshot, *names: str) -> Snapshot:
    """Return a state of which only some folders are looked at."""
    return replace(snapshot, checked=frozenset(names))
