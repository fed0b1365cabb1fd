"""What is found in a repository of PKGBUILDs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Severity(StrEnum):
    """An error does not work, a warning is hardly what was meant, a note could be tidier."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding. `sentence` may hold `{what}`; `remedy` is what to do about it.

    `mended` tells that `--fix` mends it, where it is certain how.
    """

    code: str
    severity: Severity
    sentence: str
    remedy: str
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Mend:
    """A change of one file that is certain to be right.

    `path` is below the repository. `change` makes the new content of the old one (empty where there
    is no file); `executable` is whether the file is to be one, None where that stays.
    """

    path: str
    change: Callable[[bytes], bytes] | None = None
    executable: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    `package` is the folder, empty for the repository's own files. `file` is a path below the
    repository. `line` counts from 1; 0 stands for the whole file.
    """

    code: str
    severity: Severity
    package: str
    file: str
    line: int
    message: str
    remedy: str
    mend: Mend | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message} ({self.code})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The findings by package, file and line, without those that the repository has silenced.

    `packages` are the folders that were looked at, `not_checked` sentences about what was not.
    """

    findings: tuple[Finding, ...] = ()
    packages: tuple[str, ...] = ()
    silenced: int = 0
    not_checked: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """Return how many findings are of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def codes(self) -> Counter[str]:
        """How many findings there are of each code."""
        return Counter(finding.code for finding in self.findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings, each once, as people read them."""
    return tuple(
        sorted(
            dict.fromkeys(findings),
            key=lambda it: (it.package, it.file, it.line, _RANK[it.severity], it.code, it.message),
        )
    )
