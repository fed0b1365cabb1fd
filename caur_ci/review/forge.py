"""What a forge is asked for: one small interface, whatever stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from caur_ci.errors import CaurError
from caur_ci.review.comments import CommentForge

if TYPE_CHECKING:
    from collections.abc import Sequence


class ForgeError(CaurError):
    """A forge did not do what it was asked for.

    `status` is that of HTTP, 0 where no answer came. After one that is `final`, asking for anything
    else in this run is useless: nobody answers, the token is not accepted, or too much was asked.
    """

    def __init__(
        self, message: str, *, hint: str = "", status: int = 0, final: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.final = final


class RequestState(StrEnum):
    """What became of a request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeRequest:
    """A merge or pull request as the forge has it.

    `number` is what its page is called by, `commit` the tip of its branch as the forge knows it.
    """

    number: int
    branch: str
    commit: str
    url: str
    labels: frozenset[str]
    title: str
    description: str
    state: RequestState = RequestState.OPEN


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at the forge. `id` is the forge's own number, which names cannot be changed to."""

    id: int
    name: str
    is_person: bool = True


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """Somebody put a label on a request, or took it off, at a time in Unix seconds."""

    label: str
    is_added: bool
    account: Account
    time: int


@dataclass(frozen=True, slots=True)
class RequestHistory:
    """What happened to a request, in the forge's own time.

    Since `unchanged_since`, in Unix seconds, its branch is at the commit that it is at; None where
    the forge does not tell. `labels` are in the order in which it happened.
    """

    unchanged_since: int | None
    labels: tuple[LabelEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A request as it is to be: everything in it is harmless already."""

    branch: str
    target: str
    title: str
    description: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class ReviewForge(CommentForge, Protocol):
    """A forge where changes are reviewed, and comments read. Every method raises ForgeError."""

    name: str

    def open_requests(self, target: str) -> Sequence[ForgeRequest]:
        """Return all open requests into the branch `target`, from branches of this project."""
        ...

    def latest(self, branch: str, target: str) -> ForgeRequest | None:
        """Return the newest request from `branch` into `target`, whatever its state."""
        ...

    def history(self, request: ForgeRequest) -> RequestHistory:
        """Return what happened to a request."""
        ...

    def may_merge(self, account: Account, target: str) -> bool:
        """Tell whether the forge lets this account merge into the branch `target`."""
        ...

    def create(self, proposal: Proposal) -> ForgeRequest:
        """Open a request for a branch that exists, without labels and people."""
        ...

    def rewrite(self, request: ForgeRequest, proposal: Proposal, *, drop: Sequence[str]) -> None:
        """Give an open request another title and description, and take the labels in `drop` off."""
        ...

    def complete(self, request: ForgeRequest, proposal: Proposal) -> Sequence[str]:
        """Ask people to look at a request, and label it, labels last.

        Returns the names of those whom the forge does not take.
        """
        ...

    def close(self, request: ForgeRequest, comment: str) -> None:
        """Close a request, and say why."""
        ...

    def provide_labels(self, labels: Sequence[tuple[str, str]]) -> None:
        """See that labels exist, each with a sentence on what it means, for people to choose."""
        ...

    def comparison(self, branch: str, target: str) -> str:
        """Return the address of the page that shows what a branch changes, or nothing."""
        ...
