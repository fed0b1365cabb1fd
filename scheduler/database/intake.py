"""Takes one delivery from the landing zone into a transaction, if it may be published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.versions import vercmp
from scheduler.database.packages import PackageError, check_package, read_package
from scheduler.files import copy_regular_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.packages import PackageFile
    from scheduler.landing import DeliveredFile, LandingZone
    from scheduler.queue import Claim
    from scheduler.workerkeys import AllowedWorkers


@dataclass(frozen=True, slots=True)
class Intake:
    """The packages of one delivery.

    `fresh` are to be published; `published` already are, byte for byte; `kept` are there in the
    same version but from another build, and stay as they are: readers may have that file's name
    with the checksum of the old one.
    """

    fresh: tuple[PackageFile, ...]
    published: tuple[PackageFile, ...]
    kept: tuple[PackageFile, ...]

    @property
    def remark(self) -> str:
        """What somebody should know about a delivery that was published, or an empty string."""
        if not self.kept:
            return ""
        names = ", ".join(f"{package.pkgname} {package.version}" for package in self.kept)
        return f"already published in this version and left as it is: {names}"


def take_in(
    landing: LandingZone,
    allowed: AllowedWorkers,
    claim: Claim,
    entries: Mapping[str, Entry],
    staging: Path,
) -> Intake:
    """Copy the packages of a delivery to `staging` and check those copies.

    `entries` is what the repository has. Raises InputError, with nothing left in `staging`, when
    the delivery must not be published, OSError for trouble with the disk, and TemporaryError when
    the file of allowed workers cannot be read.
    """
    manifest = landing.read(claim, allowed)
    source = landing.path_of(claim.delivery)
    copied: list[Path] = []
    sorted_in: dict[str, list[PackageFile]] = {"fresh": [], "published": [], "kept": []}
    try:
        for file in manifest.files:
            copied.append(staging / file.name)
            package = _copy(source, file, staging)
            check_package(package, claim.spec)
            sorted_in[_place(package, file, entries.get(package.pkgname))].append(package)
        _check_names(sorted_in)
    except InputError:
        _remove(copied)
        raise
    intake = Intake(**{place: tuple(packages) for place, packages in sorted_in.items()})
    _remove([package.path for package in (*intake.published, *intake.kept)])
    return intake


def _copy(source: Path, file: DeliveredFile, staging: Path) -> PackageFile:
    try:
        digest = copy_regular_file(source / file.name, staging / file.name)
    except FileNotFoundError as error:
        raise PackageError(f"{file.name!a} is in the manifest but not in the delivery") from error
    if (digest.size, digest.sha256) != (file.size, file.sha256):
        raise PackageError(f"{file.name!a} is not the file that the manifest describes")
    return read_package(staging / file.name)


def _place(package: PackageFile, file: DeliveredFile, entry: Entry | None) -> str:
    if entry is None:
        return "fresh"
    if entry.version == package.version:
        return "published" if entry.sha256 == file.sha256 else "kept"
    if vercmp(package.version, entry.version) < 0:
        raise PackageError(
            f"{package.pkgname} {package.version} is older than the published {entry.version}; "
            "raise the epoch, or remove the package from the repository first"
        )
    return "fresh"


def _check_names(sorted_in: Mapping[str, list[PackageFile]]) -> None:
    names = [package.pkgname for packages in sorted_in.values() for package in packages]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PackageError(f"the delivery holds several files of {', '.join(twice)}")


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
