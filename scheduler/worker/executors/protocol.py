"""The one small interface between a build and the place where it happens.

A build is a row of steps in one guest. What the steps are is decided by `worker/build_run` and
`worker/steps`; where they run and what they can reach there, by an executor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path, PurePosixPath

    from scheduler.job import Usage
    from scheduler.settings import ExtraRepository, TargetRepository
    from scheduler.worker.users import BuildUser


class Stop(StrEnum):
    """Why a build is ended from outside."""

    TIMEOUT = "it took too long"
    STALLED = "it neither printed anything nor used the processor"
    DISK_FULL = "the disk is nearly full"
    OUTPUT = "it printed more than can be of use"
    CANCELED = "it was canceled"
    SHUTDOWN = "the worker is shutting down"
    LOST = "the lease on the job was lost"
    UNFIT = "the worker cannot work"


class GuestError(CaurError):
    """There could be no guest, or it failed: the fault is not in the package."""


class StoppedError(CaurError):
    """A guest was not made, because it was to be stopped meanwhile."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.value)
        self.stop = stop


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFolder:
    """The folders of one build on the worker, all below `root`, which is new for each build."""

    root: Path

    @property
    def source(self) -> Path:
        """The package's folder as it was scheduled; the build can only read it."""
        return self.root / "source"

    @property
    def build(self) -> Path:
        """makepkg's BUILDDIR; the copy of the package's folder is one folder in it."""
        return self.root / "build"

    @property
    def output(self) -> Path:
        """makepkg's PKGDEST, where packages come to be."""
        return self.root / "output"

    @property
    def downloads(self) -> Path:
        """Where makepkg puts what it downloads, and finds what was kept of earlier builds."""
        return self.root / "downloads"

    @property
    def reports(self) -> Path:
        """What steps leave for the worker to read. It is not to be trusted."""
        return self.root / "reports"

    @property
    def home(self) -> Path:
        """The home folder of the user that builds."""
        return self.root / "home"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPaths:
    """The same folders, and that of the scripts, as the steps see them."""

    source: PurePosixPath
    build: PurePosixPath
    output: PurePosixPath
    downloads: PurePosixPath
    reports: PurePosixPath
    home: PurePosixPath
    scripts: PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """One build.

    `staging` is the repository with what is staged for the rebuild group of the package, if it is
    in one and that is known; it goes before the target repository. With `needs_staged` it has to be
    there. `environment` is shown to every step in addition to what every build sees. `makepkg_conf`
    is read by makepkg after all else that says how packages are built; `image` stands in place of
    the image of the executor, where that has one. What is built is for the architectures in
    `shared_with` as well.
    """

    folder: BuildFolder
    user: BuildUser
    pkgbase: str
    arch: str
    target: TargetRepository
    staging: ExtraRepository | None = None
    needs_staged: bool = False
    arch_mirror: str = ""
    makeflags: str = ""
    packager: str = ""
    makepkg_conf: str = ""
    image: str = ""
    shared_with: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a build, with paths as the guest sees them.

    `as_root` is for guests of executors with `has_root` only. `own` is for scripts of ours that
    run nothing of the package's: they get a home folder that no build can write to.
    """

    command: Sequence[str]
    directory: PurePosixPath
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = True
    as_root: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step ended: its exit code (128 more than the signal that ended it), why it was
    stopped if it was, and whether the kernel ended any of it for want of memory.
    """

    code: int
    stopped: Stop | None = None
    out_of_memory: bool = False


class Watch(Protocol):
    """Who looks after a build while a step runs."""

    def output(self, data: bytes) -> None:
        """Take what a step prints, as it comes, in no particular portions."""
        ...

    def why_stop(self, usage: Usage) -> Stop | None:
        """Tell whether the step has to be ended. Asked several times a second."""
        ...


class Guest(Protocol):
    """The place of one build.

    `image` identifies the system that is built on, as exactly as is known; it is empty for this
    machine. Where `cuts_network` is false, `run` refuses steps without network.
    """

    paths: GuestPaths
    image: str
    cuts_network: bool

    def run(self, step: Step, watch: Watch) -> StepResult:
        """Run a step, and return when nothing of it is running any more.

        Raises ConfigError for a step that this guest cannot run as it should be, CaurError when
        the guest itself fails.
        """
        ...

    def install(self, relations: Sequence[str], watch: Watch) -> StepResult:
        """Make what a package needs, given as in `depends`, be there; 0 says that it is.

        Where the executor can only look, whatever is missing is an end with another code. Where
        `installs_dependencies` is false nothing is done, and the log says so. What is staged for
        the rebuild group goes before everything else. Raises GuestError where it is not to be had.
        """
        ...

    def published(self, watch: Watch) -> frozenset[str]:
        """Return the file names of all packages that the target repository has.

        For a build that is shared with other architectures, those that all of them have. Empty
        where that is not known: the repository is not among the `extra_repos` of the target, or it
        has no database yet. What is told is good for not building again, no more.
        """
        ...

    def usage(self) -> Usage:
        """Return what all steps together have used."""
        ...


class Executor(Protocol):
    """A way of building packages.

    With `installs_dependencies`, `Guest.install` sees to dependencies and makepkg is to check
    them; without, makepkg has to be told not to.
    """

    name: str
    has_root: bool
    installs_dependencies: bool

    def check(self) -> None:
        """Raise ConfigError or ProcessError where this machine cannot build this way."""
        ...

    def check_ready(self, watch: Watch) -> None:
        """Raise CaurError or OSError where nothing could be built now.

        Raises StoppedError when `watch` ended it.
        """
        ...

    def guest(self, build_spec: BuildSpec, watch: Watch) -> AbstractContextManager[Guest]:
        """Make a guest with the folders of `build_spec`, and remove it with all that runs in it.

        Entering raises GuestError where there can be none, and StoppedError when `watch` ended it.
        """
        ...
