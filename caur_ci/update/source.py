"""The one small interface of everything that a package is kept current by.

A source looks at all packages that it covers in one go, because that is what makes it fast, and
answers for each of them by itself, because one package must never cost another its update.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from caur_ci.update.vcs.seen import NEVER_FOLLOWED, VcsSeen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.aur import AurPackage
    from caur_ci.config import PackageConfig
    from caur_ci.srcinfo import SrcinfoFields
    from caur_ci.update.vcs.seen import VcsOutcome


# In place of a time: that a package is gone from the AUR has been confirmed.
GONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """What was last seen of a package's source, and taken over, put to review or judged.

    It is kept from run to run, and moves on only with a finding that was dealt with. `origin` is
    what it was seen at: what was seen elsewhere says nothing. `modified` and `maintainer` are the
    AUR's LastModified, in Unix seconds, and Maintainer; `modified` is 0 where it is not known or
    the AUR does not list the package, and `GONE` once it was confirmed that the package is gone.
    `comaintainers` are separated by blanks, and say something only where `submitted` is known: the
    AUR's FirstSubmitted.
    """

    origin: str = ""
    commit: str = ""
    modified: int = 0
    version: str = ""
    maintainer: str = ""
    comaintainers: str = ""
    submitted: int = 0


# In place of a time: that the package is gone has been confirmed.
GONE = -1
# One each for all packages: there may be a hundred thousand.
NEVER_SEEN = LastSeen()
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPackage:
    """A package as the repository has it.

    `tree` is its folder, `fields` what its `.SRCINFO` says (None where it cannot be read), `state`
    its values on branch `state`, `vcs` what is remembered of its upstream repositories.
    """

    name: str
    config: PackageConfig
    tree: str
    fields: SrcinfoFields | None = None
    seen: LastSeen = NEVER_SEEN
    state: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    vcs: VcsSeen = NEVER_FOLLOWED


class FindingKind(StrEnum):
    """What a source found."""

    UNCHANGED = "unchanged"
    FILES = "files"  # other files, to be taken over
    BUILD = "build"  # the same files, to be built again
    WAITING = "waiting"  # something new that is not to be had yet; looked at again next time
    FAILED = "failed"  # could not be looked at; looked at again next time
    GONE = "gone"  # the source has no such package any more


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFinding:
    """What a source found about one package.

    `tree` is a git tree or commit with the files of the source, present in the repository, for
    `FILES` only. `seen` and `state` are what is to be remembered once the finding was dealt with;
    None and nothing keep what is known. `reason` is for people, `link` a page about the change.
    `remarks` are told whatever becomes of it (an orphan, another maintainer). `record` is what the
    AUR says, where there are files or other people. `review` says why people are to look at the
    files whatever the judge says of them; empty where they need not. `vcs` is what is to be
    remembered of upstream repositories. `files` is the kind as far as the package's files go, where
    the finding is about something else as well.
    """

    kind: FindingKind
    reason: str = ""
    tree: str = ""
    seen: LastSeen | None = None
    state: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    link: str = ""
    remarks: tuple[str, ...] = ()
    record: AurPackage | None = None
    review: str = ""
    vcs: VcsOutcome | None = None
    files: FindingKind | None = None

    @property
    def files_kind(self) -> FindingKind:
        """What was found about the package's files."""
        return self.files or self.kind


class Source(Protocol):
    """A place where new versions of packages come from."""

    name: str

    def covers(self, config: PackageConfig) -> bool:
        """Tell whether packages with this configuration are followed here."""
        ...

    def look(self, packages: Sequence[FollowedPackage]) -> Mapping[str, SourceFinding]:
        """Return a finding for each of `packages`, by name.

        Raises nothing for what is wrong outside: that is a finding, of all packages if need be.
        """
        ...
