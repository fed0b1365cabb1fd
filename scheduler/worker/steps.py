"""The commands that a build consists of, for any guest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scheduler.worker.executors.protocol import Step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from scheduler.worker.executors.protocol import GuestPaths
    from scheduler.worker.sources import GitSource

# Packages are signed when they are published, by a key that no worker has.
_OPTIONS = ("--nosign", "--noconfirm", "--nocolor")
_TO_STDOUT = "-"

SRCINFO = "srcinfo"
PACKAGE_LIST = "packagelist"
_VARIABLES = "variables"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCommands:
    """The steps of one package in one guest.

    `cuts_network` says that the guest can do without network, `checks_dependencies` that makepkg
    is to look for them, `checks_signatures` that it is to check the sources by PGP.
    """

    pkgbase: str
    paths: GuestPaths
    cuts_network: bool
    checks_dependencies: bool
    checks_signatures: bool

    @property
    def copy(self) -> PurePosixPath:
        """The copy of the package's folder in which it is built."""
        return self.paths.build / self.pkgbase

    def stage(self) -> Step:
        """Copy the package's folder."""
        command = self._script("stage.sh", self.paths.source, self.copy)
        return Step(command=command, directory=self.paths.build, network=not self.cuts_network)

    def mirror(self, repository: GitSource) -> Step:
        """Make a mirror of a git repository where makepkg looks for it, or bring it up to date."""
        place = self.paths.downloads / repository.name
        command = self._script("mirror.sh", place, repository.url)
        return Step(command=command, directory=self.paths.downloads, own=True)

    def keys(self) -> Step:
        """Import the keys that the package ships."""
        return self._offline(*self._script("keys.sh", self.paths.source))

    def prepare(self) -> Step:
        """Run the interfere script."""
        command = self._script("prepare.sh", self.paths.source, self.copy, self._variables)
        return Step(command=command, directory=self.copy, as_root=True)

    def apply(self) -> Step:
        """Apply the other interfere files."""
        return self._offline(*self._script("apply.sh", self.paths.source, self.copy))

    def bump(self, pkgrel: str) -> Step:
        """Give the PKGBUILD another pkgrel."""
        return self._offline(*self._script("bump.sh", self.copy, pkgrel))

    def srcinfo(self) -> Step:
        """Write what the PKGBUILD says into the report `SRCINFO`."""
        return self._offline(*self._run("makepkg", "--printsrcinfo", "--nosign", output=SRCINFO))

    def package_list(self) -> Step:
        """Write the files that the build would make into the report `PACKAGE_LIST`."""
        return self._offline(
            *self._run("makepkg", "--packagelist", "--nosign", output=PACKAGE_LIST)
        )

    def installed(self) -> Step:
        """Print the packages of the guest, a name and a version per line."""
        return Step(command=("pacman", "--query"), directory=self.paths.scripts, own=True)

    def fetch(self) -> Step:
        """Download, check and extract the sources, and run prepare() and pkgver()."""
        options = (*_OPTIONS, *self._dependencies)
        if not self.checks_signatures:
            options = (*options, "--skippgpcheck")
        return Step(command=self._run("makepkg", "--nobuild", *options), directory=self.copy)

    def build(self, *, network: bool) -> Step:
        """Run build(), check() and package()."""
        options = ("--noextract", *_OPTIONS, *self._dependencies)
        return Step(command=self._run("makepkg", *options), directory=self.copy, network=network)

    def namcap(self) -> Step:
        """Write namcap's report, if there is namcap."""
        report = self.paths.reports / f"{self.pkgbase}.namcap"
        command = self._script("namcap.sh", self.copy, self.paths.output, report)
        return replace(self._offline(*command), own=True)

    def hook(self, script: str, environment: Mapping[str, str]) -> Step:
        """Run a script of the package after the build, a path in the package's folder."""
        command = self._run("bash", str(self.paths.source / script))
        return Step(command=command, directory=self.copy, environment=environment)

    @property
    def _dependencies(self) -> tuple[str, ...]:
        return () if self.checks_dependencies else ("--nodeps",)

    @property
    def _variables(self) -> PurePosixPath:
        return self.paths.reports / _VARIABLES

    def _script(self, name: str, *arguments: PurePosixPath | str) -> list[str]:
        return ["bash", str(self.paths.scripts / name), *map(str, arguments)]

    def _run(self, *command: str, output: str = "") -> list[str]:
        """Return what runs `command` with the variables that prepare has left."""
        place = self.paths.reports / output if output else _TO_STDOUT
        return self._script("run.sh", self._variables, place, *command)

    def _offline(self, *command: str) -> Step:
        return Step(command=command, directory=self.copy, network=not self.cuts_network)
