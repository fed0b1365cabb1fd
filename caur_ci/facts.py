"""What a repository of PKGBUILDs says of its packages, for whoever shows it to people.

The CI side reads it, the web server shows it; neither knows the other. All times are in Unix
seconds, 0 where there is none; what is not known is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.architectures import DEFAULT_ARCHITECTURE

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryState:
    """A source repository, and how fresh what is known of it is.

    `commit` is the tip that was read, made at `committed`; empty where it was never in reach. It
    was asked last at `asked`; `trouble` says why that, or reading it, did not work. `lost` says why
    it is not known which packages are broken.
    """

    name: str
    target_repo: str = ""
    commit: str = ""
    committed: float = 0.0
    asked: float = 0.0
    packages: int = 0
    trouble: str = ""
    lost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSummary:
    """A package as it is at the tip of its repository.

    `source` is where its files come from (`aur`, `custom`, `gitlab:ID`, a URL), `build_class` the
    class that its configuration asks for. `maintainers` are those of the AUR, the maintainer first.
    It is built for `architectures`.
    """

    pkgbase: str
    source_repo: str
    target_repo: str
    version: str = ""
    source: str = ""
    build_class: str = ""
    maintainers: tuple[str, ...] = ()
    architectures: tuple[str, ...] = (DEFAULT_ARCHITECTURE,)

    @property
    def identity(self) -> str:
        """What its jobs go by, `target_repo/arch/pkgbase`, for the first architecture."""
        return f"{self.target_repo}/{self.architectures[0]}/{self.pkgbase}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a run decided about a package, and why; `page` and `link` tell more about it."""

    time: float
    run: str
    commit: str
    decision: str
    reason: str
    before: str = ""
    after: str = ""
    page: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPackage:
    """A package that is on hold; `left_out` is why it would have been built since."""

    package: PackageSummary
    by: str
    since: float
    reason: str = ""
    automatic: bool = False
    left_out: str = ""
    recalled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StalePackage:
    """A package whose updates fail run after run, or that stays behind upstream.

    `counted_on` says that it has failed more often than is counted.
    """

    package: PackageSummary
    failures: int = 0
    counted_on: bool = False
    failing_since: float = 0.0
    ahead_since: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostNeed:
    """What a published package needs and is there no more; `offered_by` had it until `since`."""

    name: str
    pkgname: str
    offered_by: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPackage:
    """A published package that has lost something; `not_rebuilt` says why it stays so."""

    package: PackageSummary
    version: str
    lost: tuple[LostNeed, ...]
    not_rebuilt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCommit:
    """A commit that changed a package's folder."""

    commit: str
    time: float
    author: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """All that is known of one package.

    `decisions` have the newest first. `trouble`, `hold` and `broken` are None where there is
    nothing of the kind. `needs` are the packages of the same repository that it needs, each with
    why (`makedepends foo>=2`), `needed_by` those that need it.
    """

    package: PackageSummary
    pkgnames: tuple[str, ...] = ()
    description: str = ""
    url: str = ""
    upstream_commit: str = ""
    decisions: tuple[Decision, ...] = ()
    hold: HeldPackage | None = None
    trouble: StalePackage | None = None
    broken: BrokenPackage | None = None
    commits: tuple[FolderCommit, ...] = ()
    problems: tuple[str, ...] = ()
    needs: Mapping[str, tuple[str, ...]]
    needed_by: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyMap:
    """Who needs whom in one repository: those that each package needs, by package."""

    source_repo: str
    target_repo: str
    needs: Mapping[str, tuple[str, ...]]
