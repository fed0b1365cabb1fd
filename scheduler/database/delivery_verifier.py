"""Takes one delivery from the landing zone into a transaction, if it may be published."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from caur_ci.versions import vercmp
from scheduler.database.packages import PackageError, read_package
from scheduler.files import copy_regular_file
from scheduler.job import OnOlder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from caur_ci.expectation import Expectation
    from scheduler.database.generations import Generation
    from scheduler.database.packages import PackageFile
    from scheduler.job import JobSpec
    from scheduler.landing import DeliveredFile, LandingZone
    from scheduler.queue import Claim
    from scheduler.workerkeys import AllowedWorkers

ANY_ARCH = "any"


class PackageStatus(StrEnum):
    """What a package is to a repository."""

    FRESH = "fresh"  # to be published
    PUBLISHED = "published"  # it already is, byte for byte
    # There in the same version but from another build, and stays as it is: readers may have that
    # file's name with the checksum of the old one.
    KEPT = "kept"
    OLDER = "older"  # than what is there, and nobody asked for that


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDelivery:
    """The packages of one delivery, and what they are to the repository of the job.

    `expectation` is what the source repository says about them.
    """

    spec: JobSpec
    expectation: Expectation
    packages: Mapping[PackageFile, PackageStatus]
    digests: Mapping[PackageFile, str]

    @property
    def fresh(self) -> tuple[PackageFile, ...]:
        """What is to be published in the repository of the job."""
        return self._with_status(PackageStatus.FRESH)

    @property
    def changes_nothing(self) -> bool:
        """Whether everything is there from another build."""
        return all(status is PackageStatus.KEPT for status in self.packages.values())

    @property
    def remark(self) -> str:
        """What somebody should know about a delivery that was published, or an empty string."""
        kept = self._with_status(PackageStatus.KEPT)
        if not kept:
            return ""
        names = ", ".join(f"{package.pkgname} {package.version}" for package in kept)
        return f"already published in this version and left as it is: {names}"

    @property
    def folders(self) -> dict[str, str]:
        """The folder that the packages are from, by name."""
        return {package.pkgname: self.spec.pkgbase for package in self.packages}

    def fresh_for(self, other: Generation) -> list[PackageFile]:
        """Return the packages for any architecture that the repository of another one lacks."""
        return [
            package
            for package in self.packages
            if package.arch == ANY_ARCH
            and _status(package, self.digests[package], other, self.spec) is PackageStatus.FRESH
        ]

    def stale_in(self, current: Generation, *, arch: str) -> set[str]:
        """Return the names of packages that this folder does not produce any more.

        In the repository of another architecture than that of the job, only those for any.
        """
        produced = {package.pkgname for package in self.packages} | self.expectation.pkgnames
        return {
            entry.name
            for entry in current.packages.values()
            if current.folder_of(entry) == self.spec.pkgbase
            and entry.name not in produced
            and (arch == self.spec.arch or entry.arch == ANY_ARCH)
        }

    def _with_status(self, wanted: PackageStatus) -> tuple[PackageFile, ...]:
        return tuple(package for package, status in self.packages.items() if status is wanted)


@dataclass(frozen=True, slots=True)
class DeliveryVerifier:
    """Where deliveries are taken in: from `landing`, signed by one of `allowed`."""

    landing: LandingZone
    allowed: AllowedWorkers

    def verify(
        self, claim: Claim, expectation: Expectation, current: Generation, staging: Path
    ) -> VerifiedDelivery:
        """Copy the packages of a delivery to `staging` and check those copies.

        `current` is what the repository has. What is not fresh does not stay in `staging`. Raises
        InputError when the delivery must not be published, OSError for trouble with the disk, and
        TemporaryError when the file of allowed workers cannot be read.
        """
        manifest = self.landing.read(claim, self.allowed)
        source = self.landing.path_of(claim.delivery)
        packages: dict[PackageFile, PackageStatus] = {}
        digests: dict[PackageFile, str] = {}
        for file in manifest.files:
            package = _copy(source, file, staging)
            _check(package, expectation, claim.spec)
            packages[package] = _status(package, file.sha256, current, claim.spec)
            digests[package] = file.sha256
            if packages[package] is PackageStatus.OLDER:
                raise _older(package, current)
            if packages[package] is not PackageStatus.FRESH:
                package.path.unlink()
        _check_names(packages)
        return VerifiedDelivery(
            spec=claim.spec, expectation=expectation, packages=packages, digests=digests
        )


def _copy(source: Path, file: DeliveredFile, staging: Path) -> PackageFile:
    try:
        digest = copy_regular_file(source / file.name, staging / file.name)
    except FileNotFoundError as error:
        raise PackageError(f"{file.name!a} is in the manifest but not in the delivery") from error
    if (digest.size, digest.sha256) != (file.size, file.sha256):
        raise PackageError(f"{file.name!a} is not the file that the manifest describes")
    return read_package(staging / file.name)


def _check(package: PackageFile, expectation: Expectation, spec: JobSpec) -> None:
    problem = expectation.problem_with(
        pkgbase=package.pkgbase,
        pkgname=package.pkgname,
        version=package.version,
        arch=package.arch,
        job_arch=spec.arch,
    )
    if problem:
        raise PackageError(f"{package.path.name}: {problem}")


def _status(package: PackageFile, sha256: str, current: Generation, spec: JobSpec) -> PackageStatus:
    entry = current.packages.get(package.pkgname)
    if entry is None:
        return PackageStatus.FRESH
    if entry.version == package.version:
        return PackageStatus.PUBLISHED if entry.sha256 == sha256 else PackageStatus.KEPT
    if spec.on_older is OnOlder.REFUSE and vercmp(package.version, entry.version) < 0:
        return PackageStatus.OLDER
    return PackageStatus.FRESH


def _older(package: PackageFile, current: Generation) -> PackageError:
    published = current.packages[package.pkgname].version
    return PackageError(
        f"{package.pkgname} {package.version} is older than the published {published}; raise the "
        "epoch, or ask for it with `caur-ci schedule --allow-downgrade`"
    )


def _check_names(packages: Iterable[PackageFile]) -> None:
    names = [package.pkgname for package in packages]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PackageError(f"the delivery holds several files of {', '.join(twice)}")
