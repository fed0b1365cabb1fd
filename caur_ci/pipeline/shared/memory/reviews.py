"""What is remembered of reviews: what requests say, what people rejected, and what they hold.

Requests are written by any run from this, also by one that found nothing new about the package.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import InputError
from caur_ci.review import ReviewPoint, Said, has_danger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOST_REJECTIONS = 2000
_MOST_POINTS = 200
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingChange:
    """What is known of the change on a branch `update-PKG` whose tip is `commit`."""

    commit: str
    before: str = ""
    after: str = ""
    link: str = ""
    maintainer: str = ""
    points: tuple[ReviewPoint, ...] = ()

    @property
    def has_danger(self) -> bool:
        """Whether one of the points is a danger."""
        return has_danger(self.points)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, with what is very long cut."""
        points = [
            replace(point, message=point.message[:_LONGEST]) for point in self.points[:_MOST_POINTS]
        ]
        return {**asdict(self), "points": [point.to_dict() for point in points]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` returned."""
        points = tuple(ReviewPoint.from_dict(point) for point in data["points"])
        return cls(**{**data, "points": points})


@dataclass(frozen=True, slots=True)
class Rejection:
    """Files that are never to be proposed again: the id of their tree, and who said so."""

    tree: str
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewMemory:
    """All of it by package; of rejections the newest last.

    `held` are the packages that were on hold when the forge was last heard completely.
    """

    waiting: Mapping[str, WaitingChange] = field(default_factory=dict)
    rejected: Mapping[str, tuple[Rejection, ...]] = field(default_factory=dict)
    held: Mapping[str, Said] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take what is stored. Raises InputError where that makes no sense."""
        if not content:
            return cls()
        try:
            data = json.loads(content)
            return cls(
                waiting={n: WaitingChange.from_dict(it) for n, it in data["waiting"].items()},
                rejected={
                    name: tuple(Rejection(it["tree"], Said.from_dict(it["said"])) for it in some)
                    for name, some in data["rejected"].items()
                },
                held={name: Said.from_dict(it) for name, it in data["held"].items()},
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"reviews.json on branch caur cannot be read: {error!r}",
                hint="Restore an older state of the branch. Without the file, nobody knows what "
                "people have rejected.",
            ) from error

    def to_bytes(self) -> bytes:
        """Return what is to be stored: nothing where there is nothing to remember."""
        if not (self.waiting or self.rejected or self.held):
            return b""
        data = {
            "waiting": {name: it.to_dict() for name, it in sorted(self.waiting.items())},
            "rejected": {
                name: [{"tree": it.tree, "said": it.said.to_dict()} for it in some]
                for name, some in self.rejected.items()
            },
            "held": {name: it.to_dict() for name, it in sorted(self.held.items())},
        }
        return json.dumps(data, indent=1).encode() + b"\n"

    def with_rejections(self, news: Iterable[tuple[str, Rejection]]) -> ReviewMemory:
        """Return it with further rejections by package; of very many, the oldest are forgotten."""
        rejected = dict(self.rejected)
        for name, rejection in news:
            others = tuple(it for it in rejected.pop(name, ()) if it.tree != rejection.tree)
            rejected[name] = (*others, rejection)
        while sum(map(len, rejected.values())) > _MOST_REJECTIONS:
            oldest = next(iter(rejected))
            rejected[oldest] = rejected[oldest][1:]
            if not rejected[oldest]:
                del rejected[oldest]
        return replace(self, rejected=rejected)

    def rejection_of(self, package: str, tree: str) -> Rejection | None:
        """Return why the files of a tree are not to be proposed for a package."""
        found = [it for it in self.rejected.get(package, ()) if it.tree == tree]
        return found[-1] if found else None
