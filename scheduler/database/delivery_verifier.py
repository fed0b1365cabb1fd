"""Takes one delivery from the landing zone into a transaction, if it may be published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from caur_ci.architectures import base_of
from caur_ci.config import PackageConfig
from caur_ci.versions import vercmp
from scheduler.database.hosted import HostedFiles
from scheduler.database.layout import portable_name
from scheduler.database.packages import PackageError, read_package
from scheduler.files import NotAFileError, copy_regular_file
from scheduler.job import OnOlder
from scheduler.result.allowance import Allowance
from scheduler.result.reading import time_limit

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.generations import Generation
    from scheduler.database.layout import Layout
    from scheduler.database.ownership import Mandate
    from scheduler.database.packages import PackageFile
    from scheduler.job import JobSpec
    from scheduler.landing import LandingZone
    from scheduler.queue import Claim
    from scheduler.workerkeys import AllowedWorkers

ANY_ARCH = "any"
# For all packages of a delivery, in seconds; a gibibyte takes a few.
_PATIENCE = 3600.0


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

    `mandate` is what the source repository says about them.
    """

    spec: JobSpec
    mandate: Mandate
    packages: Mapping[PackageFile, PackageStatus]
    digests: Mapping[PackageFile, str]

    @property
    def fresh(self) -> tuple[PackageFile, ...]:
        """What is to be published in the repository of the job."""
        return self._with_status(PackageStatus.FRESH)

    @property
    def brought(self) -> tuple[str, ...]:
        """The names of what the repository has from this delivery, once it has all that is fresh.

        Somebody may have been killed after putting it there, before telling the queue.
        """
        packages = (*self.fresh, *self._with_status(PackageStatus.PUBLISHED))
        return tuple(sorted(package.pkgname for package in packages))

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

    @property
    def sources(self) -> dict[str, str]:
        """The source repository that the packages are from, by name."""
        return dict.fromkeys(self.folders, self.spec.source_repo)

    def fresh_for(self, arch: str, other: PublishedState) -> list[PackageFile]:
        """Return the packages that go to the repository of another architecture and are not there.

        Those for any architecture go to all, the others to those that the job is shared with. Where
        the folder is built for the other architecture as well, that build brings all: of two
        versions, packages would ask for what is not there.
        """
        if arch not in self.spec.shared_with and self._would_leave_behind(arch, other.current):
            return []
        return [
            package
            for package in self.packages
            if (package.arch == ANY_ARCH or arch in self.spec.shared_with)
            and other.status_of(package, self.digests[package], self.mandate) is PackageStatus.FRESH
        ]

    def _would_leave_behind(self, arch: str, current: Generation) -> bool:
        """Tell whether another architecture has packages of its own build, in another version.

        What is no more, or is for any architecture now, comes from no such build again.
        """
        for_any = {package.pkgname for package in self.packages if package.arch == ANY_ARCH}
        versions = {package.version for package in self.packages}
        left = self.mandate.expectation.names - for_any
        return any(
            entry.arch == arch
            and entry.name in left
            and entry.version not in versions
            and current.folder_of(entry) == self.spec.pkgbase
            for entry in current.packages.values()
        )

    def stale_in(self, current: Generation, *, arch: str) -> set[str]:
        """Return the names of packages that no folder produces any more, and this one did.

        In the repository of another architecture, only those for any, or what is from the job's
        because it is shared with that one.
        """
        expectation = self.mandate.expectation
        produced = {package.pkgname for package in self.packages} | expectation.pkgnames
        return {
            entry.name
            for entry in current.packages.values()
            if current.folder_of(entry) == self.spec.pkgbase
            and entry.name not in produced
            and not self.mandate.is_left_to_others(entry.name)
            and (arch == self.spec.arch or entry.arch in {ANY_ARCH, self.spec.arch})
        }

    def _with_status(self, wanted: PackageStatus) -> tuple[PackageFile, ...]:
        return tuple(package for package, status in self.packages.items() if status is wanted)


@dataclass(frozen=True)
class PublishedState:
    """What a repository has: its newest state, and where its files are."""

    current: Generation
    layout: Layout

    def status_of(self, package: PackageFile, sha256: str, mandate: Mandate) -> PackageStatus:
        """Return what a package is to the repository."""
        entry = self.current.packages.get(package.pkgname)
        if entry is None:
            return PackageStatus.FRESH
        if entry.version == package.version and not _refines(package.arch, entry.arch):
            if not self._is_intact(entry):
                return PackageStatus.FRESH
            return PackageStatus.PUBLISHED if entry.sha256 == sha256 else PackageStatus.KEPT
        if not mandate.may_go_back and vercmp(package.version, entry.version) < 0:
            return PackageStatus.OLDER
        return PackageStatus.FRESH

    def problem_with_name(self, name: str, mandate: Mandate) -> str:
        """Return why the folder of a job must not bring the package `name`, "" if it may."""
        entry = self.current.packages.get(name)
        return mandate.problem_with(
            name,
            published_by=self.current.folder_of(entry) if entry else "",
            published_from=self.current.sources.get(name, "") if entry else "",
        )

    def _is_intact(self, entry: Entry) -> bool:
        """Tell whether the published file is there as it is listed, here or where it is hosted."""
        try:
            digest = copy_regular_file(self.layout.folder / entry.filename, second_names=True)
        except (OSError, NotAFileError):
            return self._hosted.has(entry, self.layout.arch)
        return (digest.size, digest.sha256) == (entry.size, entry.sha256)

    @cached_property
    def _hosted(self) -> HostedFiles:
        """What is hosted elsewhere, read once: the list of a large repository is long."""
        return HostedFiles.beside(self.layout)


@dataclass(frozen=True, slots=True)
class DeliveryVerifier:
    """Where deliveries are taken in: from `landing`, signed by one of `allowed`.

    Names that are in `distribution` are those of the distribution's own packages. With
    `portable_names`, files are published under names that every place can store.
    """

    landing: LandingZone
    allowed: AllowedWorkers
    distribution: Container[str] = ()
    portable_names: bool = False

    def verify(
        self, claim: Claim, mandate: Mandate, published: PublishedState, staging: Path
    ) -> VerifiedDelivery:
        """Copy the packages of a delivery to `staging` and check those copies.

        What is not fresh does not stay in `staging`. Raises InputError when the delivery must not
        be published, OSError for trouble with the disk, and TemporaryError when the file of
        allowed workers cannot be read.
        """
        manifest = self.landing.read(claim, self.allowed)
        packages: dict[PackageFile, PackageStatus] = {}
        digests: dict[PackageFile, str] = {}
        allowance = Allowance(check=time_limit(_PATIENCE))
        if sum(file.size for file in manifest.files) > allowance.packed:
            raise PackageError("the packages of the delivery are too large")
        for file in manifest.files:
            self.landing.copy(claim.delivery, file, staging / file.name)
            package = read_package(staging / file.name, allowance)
            if self.portable_names:
                path = package.path.with_name(portable_name(package.path.name))
                package = replace(package, path=package.path.rename(path))
            problem = self._problem_with(package, mandate, published, claim.spec)
            if problem:
                raise PackageError(f"{package.path.name}: {problem}")
            packages[package] = published.status_of(package, file.sha256, mandate)
            digests[package] = file.sha256
            if packages[package] is PackageStatus.OLDER:
                raise _older(package, published.current, claim.spec)
            if packages[package] is not PackageStatus.FRESH:
                package.path.unlink()
        _check_names(packages)
        return VerifiedDelivery(
            spec=claim.spec, mandate=mandate, packages=packages, digests=digests
        )

    def _problem_with(
        self, package: PackageFile, mandate: Mandate, published: PublishedState, spec: JobSpec
    ) -> str:
        """Return why a package must not be published, "" if it may be."""
        if package.prohibited and not mandate.expectation.allow_prohibited:
            return (
                f"its .PKGINFO has {', '.join(map(repr, package.prohibited))}, and "
                f"{mandate.folder}/{PackageConfig.FILE} does not say BUILDER_ALLOW_PROHIBITED"
            )
        problem = mandate.expectation.problem_with(
            pkgbase=package.pkgbase,
            pkgname=package.pkgname,
            version=package.version,
            arch=package.arch,
            job_arch=spec.arch,
        ) or published.problem_with_name(package.pkgname, mandate)
        if not problem and package.pkgname in self.distribution:
            return mandate.problem_with_distribution(package.pkgname)
        return problem


def _refines(arch: str, published: str) -> bool:
    """Tell whether one is a flavour of the other; its package has a file name of its own."""
    return arch != published and base_of(arch) == published


def _older(package: PackageFile, current: Generation, spec: JobSpec) -> PackageError:
    published = current.packages[package.pkgname].version
    older = f"{package.pkgname} {package.version} is older than the published {published}"
    if spec.on_older is OnOlder.PUBLISH:
        return PackageError(
            f"{older}, and the folder is not what the source repository has now; commit the older "
            "version there first"
        )
    return PackageError(
        f"{older}; raise the epoch, or ask for it with `caur-ci schedule --allow-downgrade`"
    )


def _check_names(packages: Iterable[PackageFile]) -> None:
    names = [package.pkgname for package in packages]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PackageError(f"the delivery holds several files of {', '.join(twice)}")
