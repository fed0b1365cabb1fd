"""A change that waits for review, and the interface of the forges where that happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest:
    """One package whose change is on `branch`, to be merged into `target`.

    `reasons` say what somebody should look at; `link` is a page about the change.
    """

    package: str
    branch: str
    target: str
    reasons: tuple[str, ...]
    link: str = ""


class ReviewHost(Protocol):
    """A forge where changes are reviewed, as merge or pull requests."""

    name: str

    def open_requests(self, requests: Sequence[ReviewRequest]) -> Mapping[str, str]:
        """Open a request for each, or bring the open one up to date; return pages by package.

        The branches exist. Raises nothing for single ones that fail: they are missing in the
        answer, and are tried again by the next run.
        """
        ...
