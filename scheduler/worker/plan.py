"""What a package and its repository say about a build, read before anything of them is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, load_package_config, load_repository_config
from caur_ci.errors import InputError
from caur_ci.expectation import FILES, expected_packages
from caur_ci.generated_srcinfo import PkgbuildFolder, SrcinfoGenerator
from caur_ci.interfere import Interfere, has_native, needed_packages
from caur_ci.srcinfo import SRCINFO
from scheduler.files import copy_regular_file
from scheduler.worker.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.config import RepositoryConfig
    from caur_ci.expectation import Expectation

# As in guest/keys.sh.
_KEYS = "keys/pgp"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """How one package is to be built.

    `needs` are packages that it gets without asking. `has_native` and `has_keys` say whether its
    PKGBUILD has to be freed of -march=native, and whether it ships PGP keys for its sources.
    `expectation` is what its packages are held to before they are published, `sources` are those
    that can be kept for the next build.
    """

    pkgbase: str
    config: PackageConfig
    repository: RepositoryConfig
    interfere: Interfere
    needs: tuple[str, ...]
    has_native: bool
    has_keys: bool
    pkgbuild_sha256: str
    expectation: Expectation
    sources: Sources

    @property
    def network(self) -> bool:
        """Whether build() and what follows it may use the network."""
        own = self.config.network
        return self.repository.network if own is None else own

    @property
    def checks_signatures(self) -> bool:
        """Whether the PGP signatures of sources are checked."""
        if self.has_keys:
            return True
        own = self.config.pgp_check
        return self.repository.pgp_check if own is None else own


def read_plan(source: Path, pkgbase: str, repository_config: bytes) -> BuildPlan:
    """Read the exported folder `source` of a package, and the `.ci/config` of its repository.

    Raises InputError for what cannot be used; a bad interfere file is an InterfereError.
    """
    try:
        pkgbuild = (source / "PKGBUILD").read_bytes()
    except OSError as error:
        raise InputError(f"{pkgbase} has no PKGBUILD that can be read: {error.strerror}") from error
    repository = load_repository_config(repository_config).config
    files = _committed(source)
    if repository.generate_srcinfo and SRCINFO not in files:
        files[SRCINFO] = _generated_srcinfo(source, pkgbase, pkgbuild)
    return BuildPlan(
        pkgbase=pkgbase,
        config=_package_config(source, pkgbase),
        repository=repository,
        interfere=Interfere.of_folder(source, origin=pkgbase),
        needs=needed_packages(pkgbase, pkgbuild),
        has_native=has_native(pkgbuild),
        has_keys=any((source / _KEYS).glob("*.asc")),
        pkgbuild_sha256=copy_regular_file((source / "PKGBUILD").resolve()).sha256,
        expectation=expected_packages(files, folder=pkgbase),
        sources=Sources.of_srcinfo(files.get(SRCINFO, b"")),
    )


def _committed(source: Path) -> dict[str, bytes]:
    """Return what decides what may be published: plain files, as the database runner reads them."""
    paths = {name: source / name for name in FILES}
    return {
        name: path.read_bytes()
        for name, path in paths.items()
        if path.is_file() and not path.is_symlink()
    }


def _generated_srcinfo(source: Path, pkgbase: str, pkgbuild: bytes) -> bytes:
    names = [path.name for path in source.iterdir()]
    folder = PkgbuildFolder(pkgbuild, lambda: names)
    srcinfo = SrcinfoGenerator().of_folders([(pkgbase, folder)])[pkgbase]
    if not isinstance(srcinfo, bytes):
        raise srcinfo or InputError(f"{pkgbase} has no PKGBUILD")
    return srcinfo


def _package_config(source: Path, pkgbase: str) -> PackageConfig:
    path = source / PackageConfig.FILE
    if not path.is_file():
        return PackageConfig()
    return load_package_config(path.read_bytes(), origin=f"{pkgbase}/{PackageConfig.FILE}").config
