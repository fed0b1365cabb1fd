"""What the judge says of a change."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# What people are shown of a value; the whole of it may have megabytes.
SHOWN = 300
# More findings than these nobody reads; the gravest are kept.
_MOST = 300
_SUMMARISED = 5


class Severity(StrEnum):
    """How much a finding matters: a note is quiet, the others want people."""

    NOTE = "note"
    WARNING = "warning"
    DANGER = "danger"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


class Verdict(StrEnum):
    """What a change is, as a whole."""

    IDENTICAL = "identical"  # bash and makepkg make the same of it
    MINOR = "minor"  # another version, and what follows from it
    MAJOR = "major"  # all else


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that changed. `line` counts from 1 in the new file, or in the old one where only
    that has it; 0 stands for the whole file. `old` and `new` are cut where they are long.
    """

    code: str
    severity: Severity
    file: str
    line: int
    old: str
    new: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message} ({self.code})"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it rests on, the gravest first, then in the order of files and lines."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Self:
        """Return the judgement that follows from `findings`."""
        ordered = tuple(sorted(dict.fromkeys(findings), key=_order)[:_MOST])
        if any(finding.severity is not Severity.NOTE for finding in ordered):
            return cls(Verdict.MAJOR, ordered)
        return cls(Verdict.MINOR if ordered else Verdict.IDENTICAL, ordered)

    @property
    def has_danger(self) -> bool:
        """Whether one of the findings is a danger."""
        return any(finding.severity is Severity.DANGER for finding in self.findings)

    @property
    def summary(self) -> str:
        """The first of the reasons in one line."""
        return summary_of(self.reasons)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What somebody should look at, one line each; nothing where it is not major."""
        if self.verdict is not Verdict.MAJOR:
            return ()
        return tuple(str(it) for it in self.findings if it.severity is not Severity.NOTE)

    def to_dict(self) -> dict[str, Any]:
        """Return the judgement for machines."""
        return {"verdict": self.verdict.value, "findings": [asdict(it) for it in self.findings]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_dict` was made of."""
        findings = (
            Finding(**{**finding, "severity": Severity(finding["severity"])})
            for finding in data["findings"]
        )
        return cls(Verdict(data["verdict"]), tuple(findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageContext:
    """What is known about a package beside its files.

    `allow` are regular expressions: a change of a line needs nobody where one of them matches the
    whole old and the whole new line. `others` are the names of other packages of the repository,
    `known` those that a dependency may name; without any, no name is missed. With
    `generates_srcinfo`, none misses a `.SRCINFO` that is not there.
    """

    name: str = ""
    allow: tuple[str, ...] = ()
    others: frozenset[str] = field(default_factory=frozenset)
    known: frozenset[str] = field(default_factory=frozenset)
    generates_srcinfo: bool = False


def summary_of(reasons: Sequence[str]) -> str:
    """Return the first of several reasons in one line."""
    more = len(reasons) - _SUMMARISED
    told = "; ".join(reasons[:_SUMMARISED])
    return f"{told}; and {more} more" if more > 0 else told


def _order(finding: Finding) -> tuple[int, bool, str, int, str]:
    first = finding.file != "PKGBUILD"
    return -_RANK[finding.severity], first, finding.file, finding.line, finding.code
