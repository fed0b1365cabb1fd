"""The reviews of one run: what people said before it, what requests say after it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from caur_ci.pipeline.on_schedule.review_words import Words, WordsDone, WordTaker
from caur_ci.review import BRANCH_PREFIX, FollowUp, Heard, ReviewDesk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.on_schedule.options import OnScheduleOptions
    from caur_ci.pipeline.on_schedule.pending_push import PendingPush
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.refs import RefSnapshot
    from caur_ci.update.recording import Outside

_HEADS = "refs/heads/"
_NOTHING_SAID = Heard()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """What was heard, and where requests are opened.

    `has_forge` also tells of a run that is repeated from a recording, in which `desk` is None.
    """

    context: RunContext
    memory: Memory
    heard: Heard = _NOTHING_SAID
    has_forge: bool = False
    desk: ReviewDesk | None = None
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def hear(
        cls,
        context: RunContext,
        options: OnScheduleOptions,
        outside: Outside,
        snapshot: RefSnapshot,
        repository: FollowedRepository,
    ) -> Self:
        """Ask the forge what people said, where reviews are wanted. Raises as memory does."""
        memory = context.shared.memory(snapshot)
        if not _are_wanted(repository):
            return cls(context=context, memory=memory)
        forge = options.reviews.forge
        desk = ReviewDesk(forge, context.branch.removeprefix(_HEADS)) if forge else None
        branches = {
            f"{BRANCH_PREFIX}{name}": branch.commit
            for name, branch in memory.commits.reviews.items()
            if snapshot.reviews.get(name) == branch.commit
        }

        def ask() -> dict[str, Any]:
            heard = desk.hear(branches) if desk else replace(_NOTHING_SAID, is_complete=False)
            return {"forge": desk is not None, "heard": heard.to_dict()}

        fact = outside.fact("reviews", ask)
        heard = Heard.from_dict(fact["heard"])
        problem = (options.reviews.problem,) if options.reviews.problem else ()
        return cls(
            context=context,
            memory=memory,
            heard=heard,
            has_forge=fact["forge"],
            desk=desk,
            notes=(*problem, *heard.notes),
        )

    def take(self, planned: Sequence[PlannedUpdate]) -> WordsDone:
        """Return what is done about the packages after people were heard."""
        words = Words.of(self.heard, held_before=self.memory.reviews.held)
        taker = WordTaker(self.context.git, self.context.shared, memory=self.memory, words=words)
        done = taker.take(planned)
        return replace(done, problems=(*self.heard.problems, *done.problems))

    def follow_up(self, push: PendingPush) -> FollowUp:
        """Bring the requests in step with what was pushed."""
        if self.desk is None:
            return FollowUp()
        return self.desk.follow_up(
            push.review_requests, branches=push.review_branches, rejected=push.rejected
        )


def _are_wanted(repository: FollowedRepository) -> bool:
    config = repository.committed.config
    return config.human_review or (
        config.nvchecker_review and any(it.config.nvchecker for it in repository.packages.values())
    )
