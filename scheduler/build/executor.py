"""What builds a package: one small interface, so that there can be several ways of doing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from scheduler.build.users import BuildUser


class Stop(StrEnum):
    """Why a build is ended from outside."""

    TIMEOUT = "it took too long"
    CANCELED = "it was canceled"
    SHUTDOWN = "the worker is shutting down"
    LOST = "the lease on the job was lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFolder:
    """The folders of one build, all below `root`.

    `package` is the exported folder with the PKGBUILD, `output` is where packages come to be.
    """

    root: Path

    @property
    def package(self) -> Path:
        return self.root / "package"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def sources(self) -> Path:
        return self.root / "sources"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """One build. `environment` is shown to the build in addition to what every build sees."""

    folder: BuildFolder
    user: BuildUser
    arch: str
    makeflags: str = ""
    packager: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a build ended: makepkg's exit code, and why it was stopped if it was."""

    code: int
    stopped: Stop | None = None


class Executor(Protocol):
    """A way of building packages."""

    def build(
        self,
        order: BuildOrder,
        *,
        output: Callable[[bytes], None],
        should_stop: Callable[[], Stop | None],
    ) -> Ending:
        """Build and return when nothing of the build is running any more.

        `output` is called with what the build prints, as it comes, in no particular portions;
        `should_stop` is asked several times a second.
        """
        ...
