"""The journey of comments: read → who may → do → answer.

What a comment does, that it was dealt with and what is to be answered become true in one push, so a
run that is killed does nothing twice. Answers are given after that; those that were not are given
by the next run, and where one was killed right then, an answer may come twice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from caur_ci.errors import InputError, TemporaryError
from caur_ci.git import Identity
from caur_ci.pipeline.commenting.answers import Given, Told, answer_text, give
from caur_ci.pipeline.commenting.bumping import CommentedBumps
from caur_ci.pipeline.commenting.listening import Heard, hear
from caur_ci.pipeline.commenting.obeying import Obeying
from caur_ci.pipeline.manual.journey import by_hand
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.memory.comments import Answer
from caur_ci.review import ForgeError, Misunderstood

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caur_ci.pipeline.commenting.listening import Order
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.comments import CommentMemory
    from caur_ci.pipeline.shared.options import RunOptions
    from caur_ci.review import ForgeChoice
    from caur_ci.review.comments import CommentForge

T = TypeVar("T")

# While more answers than this wait for the forge, nothing more is read.
_MOST_WAITING = 100
# In seconds: how much is read again rather than remembering, where nobody asked for anything.
_READ_AGAIN = 6 * 3600


@dataclass(frozen=True, slots=True)
class Obeyed:
    """A comment that was dealt with, or would be, and what came of it."""

    order: Order
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentsResult:
    """What was done. `waiting` are answers that are left to the next run."""

    obeyed: tuple[Obeyed, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    waiting: int = 0


def obey_comments(options: RunOptions, choice: ForgeChoice) -> CommentsResult:
    """Do what people ask for in comments, and answer them.

    Raises TemporaryError and ForgeError where comments cannot be read, and as `by_hand` does but
    InputError for a bump: what was done until then stays done, and the rest is left to the next
    run.
    """
    if choice.forge is None:
        return CommentsResult(notes=(f"comments are not read: {choice.problem or 'no forge'}",))
    return _Journey(options, choice.forge).run()


@dataclass(slots=True)
class _Journey:
    options: RunOptions
    forge: CommentForge
    context: RunContext = field(init=False)
    repositories: dict[str, CommittedRepository] = field(default_factory=dict)
    obeyed: dict[int, Obeyed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.context = RunContext.open(self.options)

    def run(self) -> CommentsResult:
        before = self._memory()
        if before.floor == 0:
            return self._begin()
        if len(before.answers) > _MOST_WAITING:
            heard = Heard(floor=before.floor)
            notes = [f"{len(before.answers)} answers wait for the forge: nothing more is read"]
        else:
            heard = _read(lambda: hear(self.forge, before))
            notes = []
        self._obey(heard.orders)
        if self.options.dry_run:
            return CommentsResult(
                obeyed=tuple(self.obeyed.values()), notes=heard.notes, problems=heard.problems
            )
        given = give(self.forge, self._memory().answers)
        after = self._settle(before, heard, given)
        return CommentsResult(
            obeyed=tuple(self.obeyed.values()),
            notes=heard.notes,
            problems=(*notes, *heard.problems, *given.problems),
            waiting=len(after.answers),
        )

    def _begin(self) -> CommentsResult:
        newest = _read(self.forge.latest_comment)
        if not self.options.dry_run:
            self._remember(
                lambda memory: memory.with_comments(memory.comments.from_floor(max(1, newest)))
            )
        note = "comments are read from now on; what was said before is not obeyed"
        return CommentsResult(notes=(note,))

    def _obey(self, orders: Sequence[Order]) -> None:
        for has_bumps, some in groupby(orders, key=lambda it: it.has_bumps):
            batch = tuple(some)
            if not has_bumps:
                self._obey_together(batch)
                continue
            for order in batch:
                self._bump(order)

    def _obey_together(self, batch: Sequence[Order]) -> None:
        snapshot = self.context.shared.snapshot(self.context.branch)
        commit = snapshot.branch or self.context.head
        if self.options.dry_run:
            self._after(self.context.shared.memory(snapshot), commit, batch)
        else:
            self._remember(lambda memory: self._after(memory, commit, batch))

    def _bump(self, order: Order) -> None:
        bumps = CommentedBumps(order.comment.id, order.bumps)

        def along(memory: Memory, commit: str) -> Memory:
            return self._after(memory, commit, [order], bumps)

        try:
            by_hand(self.options, bumps, person=order.comment.account.name, along=along)
        except InputError as error:
            bumps.failed(error)
            snapshot = self.context.shared.snapshot(self.context.branch)
            commit = snapshot.branch or self.context.head
            if self.options.dry_run:
                along(self.context.shared.memory(snapshot), commit)
            else:
                self._remember(lambda memory: along(memory, commit))

    def _after(
        self,
        memory: Memory,
        commit: str,
        orders: Sequence[Order],
        bumps: CommentedBumps | None = None,
    ) -> Memory:
        """Return the memory after orders, with what is to be answered to them."""
        answers: list[Answer] = []
        times: dict[int, int] = {}
        for order in orders:
            comment = order.comment
            self.obeyed.pop(comment.id, None)
            if comment.id in memory.comments.done:  # by another run
                continue
            memory, told = self._follow(memory, commit, order, bumps)
            self.obeyed[comment.id] = Obeyed(order, tuple(told))
            text = answer_text(comment, told, self.context.secrets.redact)
            answers.append(Answer(comment.id, comment.place, text))
            times[comment.id] = comment.time
        return memory.with_comments(memory.comments.with_done(times, answers))

    def _follow(
        self, memory: Memory, commit: str, order: Order, bumps: CommentedBumps | None
    ) -> tuple[Memory, list[Told]]:
        obeying = Obeying(
            context=self.context,
            repository=self._repository(commit),
            person=order.comment.account.name,
            now=int(time.time()),
            bumped=frozenset(bumps.bumped if bumps else ()),
        )
        told: list[Told] = []
        for command in order.commands:
            if isinstance(command, Misunderstood):
                told.append(Told(command.line, "not understood", (command.problem,)))
            elif bumps and command in bumps.told:
                told += bumps.told[command]
            else:
                memory, sentences = obeying.obey(memory, command)
                told += sentences
        return memory, told

    def _settle(self, before: CommentMemory, heard: Heard, given: Given) -> CommentMemory:
        """Remember which answers were given, and from where the next run is to read."""
        is_news = heard.is_cut or bool(self.obeyed) or bool(given.comments)
        if not is_news and heard.floor - before.floor < _READ_AGAIN:
            return before

        def change(memory: Memory) -> Memory:
            comments = memory.comments.answered(given.comments).from_floor(heard.floor)
            return memory.with_comments(comments)

        return self._remember(change).comments

    def _memory(self) -> CommentMemory:
        shared = self.context.shared
        return shared.memory(shared.snapshot()).comments

    def _repository(self, commit: str) -> CommittedRepository:
        if commit not in self.repositories:
            self.repositories = {commit: CommittedRepository.read(self.context.git, commit)}
        return self.repositories[commit]

    def _remember(self, change: Callable[[Memory], Memory]) -> Memory:
        config = self._repository(self.context.head).config
        return self.context.shared.change_memory(
            change,
            identity=Identity(config.author_name, config.author_email),
            push_options=self.context.forge_pipeline.push_options(),
        )


def _read(ask: Callable[[], T]) -> T:
    """Return what is asked of the forge; what may go better later is a TemporaryError."""
    try:
        return ask()
    except ForgeError as error:
        if error.final and error.status != 401:
            raise TemporaryError(error.message, hint=error.hint) from error
        raise
