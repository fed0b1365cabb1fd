"""The unit of work: one package to be built for one target repository and architecture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caur_ci.request import BuildRequest


# Of jobs for which nobody asked for another one.
DEFAULT_BUILD_CLASS = "1"


class JobState(StrEnum):
    """Where a job stands. `DONE` is the only state that a job never leaves."""

    WAITING = "waiting"  # for a dependency, or for the running job of the same identity
    READY = "ready"
    BUILDING = "building"
    LANDED = "landed"  # built; its packages wait in the landing zone
    PUBLISHING = "publishing"  # or staged: a database runner is at it
    STAGED = "staged"  # its packages are there for its group, and wait for the others of it
    DONE = "done"


class Outcome(IntEnum):
    """How a job ended. The numbers are those of the existing manager's BuildStatus."""

    SUCCESS = 0
    ALREADY_BUILT = 1
    SKIPPED = 2
    FAILED = 3
    TIMED_OUT = 4
    CANCELED = 5
    CANCELED_REQUEUE = 6
    SOFTWARE_FAILURE = 7


class FailureClass(StrEnum):
    """What kind of failure ended a build, as far as it can be told."""

    SOURCE_MISSING = "source missing"
    CHECKSUM = "checksum"
    SIGNATURE = "signature"  # of a source, by PGP
    MISSING_DEPENDENCY = "missing dependency"
    PATCH = "patch"  # interfere.patch, or one of prepare()
    COMPILE = "compile"
    CHECK = "check"
    PACKAGING = "packaging"
    OUT_OF_MEMORY = "out of memory"
    DISK_FULL = "disk full"
    STALLED = "stalled"
    INTERFERE = "interfere"  # interfere files that cannot be applied here
    CONFIGURATION = "configuration"  # .CI/config or a PKGBUILD that makes no sense
    DELIVERY = "delivery"  # built, but refused by the database runner
    INFRASTRUCTURE = "infrastructure"  # the worker's or the network's fault; tried again
    UNKNOWN = "unknown"


class OnFailure(StrEnum):
    """What a job does when something it depends on ends without success before it started."""

    PROCEED = "proceed"  # it goes on; the events say what it goes on without
    HOLD = "hold"  # it waits for a later success of what failed, or for Queue.proceed()


class OnRunning(StrEnum):
    """What a request does to the running job of the same identity."""

    FOLLOW = "follow"  # lets it end; the new job is its successor
    CANCEL = "cancel"  # asks it to end at once; the new job follows


class OnOlder(StrEnum):
    """What becomes of a package that is older than the published one."""

    REFUSE = "refuse"
    PUBLISH = "publish"  # somebody asked for it


class GroupPublishing(StrEnum):
    """What becomes of a rebuild group when one of its members cannot be built."""

    TOGETHER = "together"  # the others wait for it, until somebody decides
    PARTIAL = "partial"  # the others are published when every member has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a build took: bytes of memory at most, seconds of processor time; None is unknown."""

    peak_memory: int | None = None
    cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """A package file that a job brought into its repository; `size` in bytes."""

    name: str
    version: str
    filename: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a job brought into its repository, and the number of the state that has it first."""

    generation: int
    files: tuple[PublishedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What is to be built. `depends` and `provides` are names without versions.

    `pkgbase` is the name of the package's folder in the source repository; the pkgbase in its
    `.SRCINFO` is nearly always the same. `commit` is a full object id of git. `on_failure` is about
    the failures of what this job depends on, `on_older` about what it brings itself. Jobs for one
    target repository and architecture that name the same `group` are published together; `publish`
    counts where the job is the first of its group. `shared_with` are architectures that have no
    build of their own: the packages are published there as well, and jobs there wait for this one.
    """

    pkgbase: str
    target_repo: str
    source_repo: str
    commit: str
    arch: str = "x86_64"
    build_class: str = DEFAULT_BUILD_CLASS
    pkgnames: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    arch_mirror: str = ""
    commit_reference: str = ""
    reason: str = ""
    on_failure: OnFailure = OnFailure.PROCEED
    on_older: OnOlder = OnOlder.REFUSE
    group: str = ""
    publish: GroupPublishing = GroupPublishing.TOGETHER
    shared_with: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """`target_repo/arch/pkgbase`: one pending and one running job each."""
        return f"{self.target_repo}/{self.arch}/{self.pkgbase}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Packages to take out of a target repository.

    Either the bases in `remove` go, or every base that is not in `keep`; bases are the names of
    folders in the source repository. One that takes away a large share of what is published is
    held back unless it is `confirmed`.
    """

    target_repo: str
    arch: str = "x86_64"
    remove: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    confirmed: bool = False


def jobs_of(request: BuildRequest) -> list[JobSpec]:
    """Return the jobs that `request` asks for, in its order."""
    return [
        JobSpec(
            pkgbase=package.pkgbase,
            target_repo=request.target_repo,
            source_repo=request.source_repo,
            commit=request.commit,
            arch=package.arch or request.arch,
            build_class=package.build_class or DEFAULT_BUILD_CLASS,
            pkgnames=package.pkgnames or (package.pkgbase,),
            provides=package.provides,
            depends=package.depends,
            arch_mirror=request.arch_mirror,
            commit_reference=request.commit_reference,
            reason=package.reason,
            on_failure=OnFailure(request.on_failure),
            on_older=OnOlder(request.on_older),
            group=package.group,
            publish=GroupPublishing(package.publish),
            shared_with=package.shared_with,
        )
        for package in request.packages
    ]


def removals_of(request: BuildRequest) -> list[Removal]:
    """Return the removals that `request` asks for."""
    if not request.remove:
        return []
    return [
        Removal(target_repo=request.target_repo, arch=arch, remove=request.remove)
        for arch in request.removes_from
    ]
