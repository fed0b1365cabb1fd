"""What forges are asked about comments: what was said since, by whom, and an answer to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from caur_ci.review.forge import Account

# So many comments of one forge are read in one run; what is older than these is not.
MOST_READ = 5000


class PlaceKind(StrEnum):
    """Where people comment."""

    ISSUE = "issue"
    REQUEST = "request"  # a merge or pull request


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An issue or a request. What is said `internally` there is not for everybody to read."""

    kind: PlaceKind
    number: int
    internally: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody said, as it stands now. `time` is when they first did, in Unix seconds."""

    id: int
    place: Place
    text: str
    account: Account
    time: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Comments:
    """Comments, oldest first; not `is_complete` where there were more than a run reads."""

    found: tuple[Comment, ...] = ()
    is_complete: bool = True


class CommentForge(Protocol):
    """A forge whose comments are read. Every method raises ForgeError."""

    def latest_comment(self) -> int:
        """Return when the newest comment was made, in Unix seconds; 0 where there is none."""
        ...

    def comments_since(self, time: int) -> Comments:
        """Return the comments that were made after `time`, in Unix seconds."""
        ...

    def why_not_obeyed(self, account: Account) -> str:
        """Return why nothing is done for an account; empty for one that may push.

        Bots may not, nor may the account of our own token.
        """
        ...

    def answer(self, place: Place, text: str) -> None:
        """Comment on an issue or a request, with `text` that is harmless already."""
        ...
