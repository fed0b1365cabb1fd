"""A published repository whose packages need libraries of a distribution."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.config import RepositoryConfig
from caur_ci.deptree import DependencyTree
from caur_ci.linkage import IMPORTS, LINKAGE, PackageImports, PackageLinkage
from caur_ci.linkage.index import write_lines
from caur_ci.package_folders import WorkingFolders
from caur_ci.process import run
from caur_ci.rebuild import RebuildLook, RebuildLooker, RebuildRules, RebuildState
from caur_ci.web import Web
from scheduler.database.packages import read_package
from tests.support.packages import srcinfo_of
from tests.support.sync_databases import archive, database, desc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PKGBUILD = """\
pkgname={name}
pkgver=1
pkgrel=1
arch=(x86_64)
{depends}
{build}
package() {{ :; }}
"""
_BUILD = "build() { :; }"


def files_database(packages: Mapping[str, tuple[str, Iterable[str]]]) -> bytes:
    """Return a `.files` database of packages: their versions and paths by name."""
    found: dict[str, bytes] = {}
    for name, (version, paths) in packages.items():
        file = f"{name}-{version}-x86_64.pkg.tar"
        found[f"{name}-{version}/desc"] = desc(name, version, filename=[file])
        found[f"{name}-{version}/files"] = "\n".join(["%FILES%", *paths, ""]).encode()
    return archive(found)


def make(
    folder: Path,
    name: str,
    files: Mapping[str, bytes | Path],
    version: str,
    buildinfo: str = "",
) -> Path:
    """Make a package file without compression."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        info = f"pkgname = {name}\npkgbase = {name}\npkgver = {version}\narch = x86_64\n"
        (root / ".PKGINFO").write_text(info, encoding="utf-8")
        (root / ".BUILDINFO").write_text(buildinfo, encoding="utf-8")
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            data = content if isinstance(content, bytes) else content.read_bytes()
            (root / path).write_bytes(data)
        package = folder / f"{name}-{version}-x86_64.pkg.tar"
        tops = sorted({path.partition("/")[0] for path in files})
        run(["bsdtar", "-cf", package, ".PKGINFO", ".BUILDINFO", *tops], cwd=root)
    return package


@dataclass
class LinkedWorld:
    """Everything is below `folder`; `now` goes on with each look."""

    folder: Path
    config: RepositoryConfig = field(init=False)
    state: RebuildState = field(default_factory=RebuildState)
    now: int = 1000
    linkages: dict[str, PackageLinkage] = field(default_factory=dict)
    imports: dict[str, PackageImports] = field(default_factory=dict)
    paths: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("repo", "dist", "sources"):
            (self.folder / name).mkdir()
        self.config = RepositoryConfig(
            repo_db=self._url("repo/ours.db"), lib_db=(self._url("dist/core/core.db"),)
        )
        self._write()

    def distribution(
        self, packages: Mapping[str, tuple[str, Iterable[str]]], name: str = "core"
    ) -> None:
        folder = self.folder / "dist" / name
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.files").write_bytes(files_database(packages))
        versions = {name: version for name, (version, _) in packages.items()}
        (folder / f"{name}.db").write_bytes(database(versions))

    def source(self, name: str, *, build: bool = True, config: str = "", depends: str = "") -> None:
        folder = self.folder / "sources" / name
        (folder / ".CI").mkdir(parents=True, exist_ok=True)
        text = _PKGBUILD.format(
            name=name, build=_BUILD if build else "", depends=f"depends=({depends})"
        )
        (folder / "PKGBUILD").write_text(text, encoding="utf-8")
        info = srcinfo_of(text, name).replace("pkgname", f"depends = {depends}\npkgname", 1)
        (folder / ".SRCINFO").write_text(info if depends else srcinfo_of(text, name))
        (folder / ".CI/config").write_text(config, encoding="utf-8")

    def publish(
        self,
        name: str,
        files: Mapping[str, bytes | Path],
        *,
        version: str = "1-1",
        buildinfo: str = "",
    ) -> PackageLinkage:
        """Make a real package file of these files, and publish what it tells."""
        package = read_package(make(self.folder, name, files, version, buildinfo))
        found = package.linkage
        assert found is not None
        assert package.imports is not None
        self.imports[name] = package.imports
        self.paths[name] = list(files)
        self.publish_linkage(found)
        return found

    def libraries(self, **packages: tuple[str, Mapping[str, bytes | Path]]) -> None:
        """Make the distribution have real packages: their versions and files by name."""
        self.distribution({name: (it[0], list(it[1])) for name, it in packages.items()})
        for name, (version, files) in packages.items():
            make(self.folder / "dist/core", name, files, version)

    def publish_linkage(self, linkage: PackageLinkage) -> None:
        self.linkages[linkage.name] = replace(linkage, sha256="0")
        self.paths.setdefault(linkage.name, [])
        self._write()

    def _write(self) -> None:
        packages = {name: (it.version, self.paths[name]) for name, it in self.linkages.items()}
        (self.folder / "repo/ours.files").write_bytes(files_database(packages))
        lines = [it.to_line() for it in self.linkages.values()]
        with (self.folder / "repo/index").open("wb") as stream:
            write_lines(LINKAGE, lines, stream)
        run(["zstd", "-qf", "index", "-o", "ours.linkage.jsonl.zst"], cwd=self.folder / "repo")
        lines = [it.to_line() for it in self.imports.values()]
        with (self.folder / "repo/index").open("wb") as stream:
            write_lines(IMPORTS, lines, stream)
        run(["zstd", "-qf", "index", "-o", "ours.imports.jsonl.zst"], cwd=self.folder / "repo")

    @property
    def looker(self) -> RebuildLooker:
        folders = WorkingFolders(self.folder / "sources")
        tree = DependencyTree.read_each(folders.srcinfos())
        rules = RebuildRules(folders, tree, never=self.config.rebuild_blacklist)
        return RebuildLooker(self.config, rules, Web())

    def look(self) -> RebuildLook:
        """Look, and remember what was found and asked for as a run does."""
        self.now += 1
        found = self.looker.look(RebuildState.from_bytes(self.state.to_bytes()), now=self.now)
        self.state = found.asked()
        return found

    def _url(self, path: str) -> str:
        return (self.folder / path).as_uri()
