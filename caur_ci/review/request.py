"""A change that waits for review, with what somebody wants to know who looks at it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LABELS = ("ci", "human-review", "update")
DANGER = "danger"
# Of the branches that changes of packages wait on.
BRANCH_PREFIX = "update-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPoint:
    """One thing to look at. `severity` is `note`, `warning` or `danger`; `line` counts from 1, and
    is 0 where it is about all of `file`.
    """

    message: str
    severity: str = "warning"
    code: str = ""
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Where it is."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` returned. Raises TypeError for anything else."""
        return cls(**data)


def has_danger(points: Iterable[ReviewPoint]) -> bool:
    """Tell whether one of the points is a danger."""
    return any(point.severity == DANGER for point in points)


@dataclass(frozen=True, slots=True)
class ChangeText:
    """A change as text: `words` has what differs within lines marked, `patch` is the whole diff.

    `upstream` are pages of the program's own about the new version, with what they are.
    """

    words: str = ""
    patch: str = ""
    upstream: tuple[tuple[str, str], ...] = ()


def _no_text() -> ChangeText:
    return ChangeText()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest:
    """One package whose change is on `branch`, at `commit`, to be merged into `target`.

    `before` and `after` are versions; `link` is a page about the change where it comes from.
    `text` is asked for only where the request is written anew.
    """

    package: str
    branch: str
    target: str
    commit: str
    points: tuple[ReviewPoint, ...] = ()
    before: str = ""
    after: str = ""
    link: str = ""
    maintainer: str = ""
    dependants: tuple[str, ...] = ()
    labels: tuple[str, ...] = LABELS
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    text: Callable[[], ChangeText] = field(default=_no_text, compare=False)

    @property
    def title(self) -> str:
        """The title, as the existing system has it."""
        return f"chore(update): {self.package}"

    @property
    def has_danger(self) -> bool:
        """Whether one of the points is a danger."""
        return has_danger(self.points)
