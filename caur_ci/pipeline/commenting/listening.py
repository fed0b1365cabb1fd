"""Which comments order something, by whom, and whether they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.review import Command, ForgeError, Misunderstood, Verb, commands_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pipeline.shared.memory.comments import CommentMemory
    from caur_ci.review import Comment
    from caur_ci.review.comments import CommentForge

# Of one run: comments that are dealt with, and accounts whose rights are looked up. The rest is
# left to the next one.
MOST_ORDERS, MOST_ACCOUNTS = 50, 100
# In seconds: how much older than another a comment may be, and be seen later.
OVERLAP = 600
# What forges say where the token may not ask, which somebody has to mend.
_NOT_ALLOWED = 403


@dataclass(frozen=True, slots=True)
class Order:
    """A comment with commands of somebody who may."""

    comment: Comment
    commands: tuple[Command | Misunderstood, ...]

    @property
    def bumps(self) -> tuple[Command, ...]:
        """The commands that make a commit."""
        return tuple(it for it in self.commands if isinstance(it, Command) and it.verb is Verb.BUMP)

    @property
    def has_bumps(self) -> bool:
        """Whether there are any."""
        return bool(self.bumps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The orders of one run, oldest first, and what is told of others.

    `floor` is the time from which the next run is to read, in Unix seconds. `is_cut` says that it
    has to, because this one stopped before the end.
    """

    floor: int
    is_cut: bool = False
    orders: tuple[Order, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def hear(forge: CommentForge, known: CommentMemory) -> Heard:
    """Read the comments that were not dealt with yet. Raises ForgeError where they cannot be read.

    Where rights cannot be looked up, that is a problem, and the comments from then on are left to
    the next run.
    """
    read = forge.comments_since(known.floor)
    listener = _Listener(forge)
    floor = max((it.time for it in read.found), default=known.floor) - OVERLAP
    for comment in read.found:
        if comment.id in known.done:
            continue
        commands = tuple(commands_in(comment.text))
        if commands and not listener.takes(comment, commands):
            # Without what overlaps where it stopped for strangers: they would stop it there again.
            floor = comment.time - 1 - (0 if listener.is_crowded else OVERLAP)
            break
    problems = list(listener.problems)
    if not read.is_complete:
        problems.append("there were too many comments to read: the oldest of them are not obeyed")
    return Heard(
        floor=floor,
        is_cut=listener.is_crowded,
        orders=tuple(listener.orders),
        notes=tuple(listener.notes),
        problems=tuple(problems),
    )


class _Listener:
    """Takes comments, as many as one run may."""

    def __init__(self, forge: CommentForge) -> None:
        self._forge = forge
        self._refusals: dict[int, str] = {}
        self.is_crowded = False
        self.orders: list[Order] = []
        self.notes: list[str] = []
        self.problems: list[str] = []

    def takes(self, comment: Comment, commands: Sequence[Command | Misunderstood]) -> bool:
        """Take a comment; False where it is left to the next run, with all that follow it."""
        account = comment.account
        if len(self.orders) == MOST_ORDERS:
            self.notes.append("the rest of the comments is left to the next run")
            return False
        if account.id not in self._refusals:
            if len(self._refusals) == MOST_ACCOUNTS:
                self.is_crowded = True
                self.notes.append("the rest of the comments is left to the next run")
                return False
            try:
                self._refusals[account.id] = self._forge.why_not_obeyed(account)
            except ForgeError as error:
                self.problems.append(f"{error.message}. {error.hint}")
                if error.final or error.status == _NOT_ALLOWED:
                    return False
                self._refusals[account.id] = "its rights cannot be looked up"
        if refusal := self._refusals[account.id]:
            self.notes.append(f"{comment.url}: {account.name} is not obeyed: {refusal}")
        else:
            self.orders.append(Order(comment, tuple(commands)))
        return True
