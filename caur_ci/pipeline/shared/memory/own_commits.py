"""The commits that on-schedule made itself: which may be replaced, and which are in review."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAX_REPLACED = 50
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBranch:
    """A branch `update-PKG` as it was pushed: its commit, its parent, the package's tree in it."""

    commit: str
    base: str
    tree: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCommits:
    """`last` is our newest commit on the branch of the packages, `reviews` are by package.

    `replaced` are commits that have gone from the branch, the newest first.
    """

    last: str = ""
    reviews: Mapping[str, ReviewBranch] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()

    @classmethod
    def from_bytes(cls, content: bytes, *, replaced: Iterable[str]) -> Self:
        """Take what is stored; what makes no sense is as good as nothing."""
        try:
            data: dict[str, Any] = json.loads(content or b"{}")
            reviews = {name: ReviewBranch(**branch) for name, branch in data["reviews"].items()}
            found = cls(last=data["last"], reviews=reviews, replaced=tuple(replaced))
        except (ValueError, TypeError, KeyError, AttributeError):
            found = cls(replaced=tuple(replaced))
        return found if found.is_sound() else cls(replaced=tuple(replaced))

    def is_sound(self) -> bool:
        """Tell whether all of them are ids of git objects."""
        branches = [
            id_ for one in self.reviews.values() for id_ in (one.commit, one.base, one.tree)
        ]
        return all(
            isinstance(value, str) and _OBJECT_ID.fullmatch(value)
            for value in (*branches, *([self.last] if self.last != "" else ()))
        )

    def to_bytes(self) -> bytes:
        """Return what is to be stored: nothing where there is nothing to remember."""
        if not self.last and not self.reviews:
            return b""
        reviews = {name: asdict(branch) for name, branch in sorted(self.reviews.items())}
        return json.dumps({"last": self.last, "reviews": reviews}, indent=1).encode() + b"\n"

    def with_commit(self, commit: str, *, instead_of: str = "") -> OwnCommits:
        """Return them with a new commit on the branch, one that may have replaced another."""
        gone = (instead_of, *self.replaced) if instead_of else self.replaced
        return replace(self, last=commit, replaced=gone[:_MAX_REPLACED])

    def with_reviews(self, reviews: Mapping[str, ReviewBranch]) -> OwnCommits:
        """Return them with other branches in review."""
        return replace(self, reviews=reviews)
