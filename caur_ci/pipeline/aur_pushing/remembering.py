"""What a round leaves on branch `caur`: what the AUR has now, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.pipeline.aur_pushing.outcome import OBSTACLES, AurOutcome, AurState
from caur_ci.pipeline.shared.memory.aur_pushes import MAX_TEXT, AurPush, Obstacle
from caur_ci.pipeline.shared.memory.ledger import AUR_DECISION, LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pipeline.aur_pushing.round import AurRound, RoundState
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory

_DONE = frozenset({AurState.IN_STEP, AurState.PUSHED})


def remember(
    context: RunContext, wanted: AurRound, state: RoundState, outcomes: Sequence[AurOutcome]
) -> list[AurOutcome]:
    """Keep what came of a round, and return the outcomes with what is news among them.

    Raises what `SharedRepository.change_memory` raises.
    """
    before, managed = state.memory.aur, [package.name for package in state.packages]
    pushes = {it.package: _push(it, before.get(it.package), int(wanted.now)) for it in outcomes}
    told = [_with_news(it, before.get(it.package), pushes[it.package]) for it in outcomes]
    news = [it for it in told if it.is_news]
    writer = _Writer(wanted, state.commit, context.forge_pipeline.url)
    entries = [writer.entry(it, before.get(it.package)) for it in news]

    def change(memory: Memory) -> Memory:
        safe = {
            name: push if memory.aur.get(name) == before.get(name) else _to_be_looked_at(push)
            for name, push in pushes.items()
        }
        return replace(
            memory,
            aur=memory.aur.only(managed).updated(safe),
            ledger=memory.ledger.add(entries),
        )

    if entries or before.only(managed).updated(pushes) != before:
        options = context.forge_pipeline.push_options()
        context.shared.change_memory(change, identity=state.identity, push_options=options)
    return told


def _to_be_looked_at(push: AurPush) -> AurPush:
    """Return what is remembered where another run was there at the same time.

    Which of both the AUR has, nobody knows: without a tree, the next run asks.
    """
    return replace(push, tree="", commit="")


def _push(outcome: AurOutcome, old: AurPush, now: int) -> AurPush:
    if outcome.state in _DONE:
        return AurPush(commit=outcome.commit, tree=outcome.tree, version=outcome.version)
    obstacle = OBSTACLES.get(outcome.state, Obstacle.NONE)
    diverged = outcome.state is AurState.DIVERGED
    return replace(
        old,
        obstacle=obstacle,
        reason=outcome.reason,
        wanted=outcome.tree,
        tip=outcome.commit if diverged else "",
        since=old.since if old.obstacle == obstacle else now,
        tried=now if outcome.answered else old.tried,
    )


def _with_news(outcome: AurOutcome, old: AurPush, new: AurPush) -> AurOutcome:
    # What keeps it waiting may change from run to run, and is no news.
    waits = new.obstacle == old.obstacle == Obstacle.WAITING
    is_news = not waits and _said(new) != _said(old)
    return replace(outcome, is_news=is_news, since=new.since)


def _said(push: AurPush) -> tuple[str, str, str]:
    return (push.obstacle, push.reason[:MAX_TEXT], push.commit)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes what the ledger is to say of a round at a commit."""

    wanted: AurRound
    commit: str
    link: str

    def entry(self, outcome: AurOutcome, old: AurPush) -> LedgerEntry:
        done = outcome.state in _DONE
        reason = outcome.reason or "the AUR has it"
        return LedgerEntry(
            time=int(self.wanted.now),
            run=self.wanted.run,
            commit=self.commit,
            package=outcome.package,
            decision=f"{AUR_DECISION}{outcome.state.value.replace(' ', '-')}",
            reason=f"{reason}, as commit {outcome.commit[:12]}" if done else reason,
            link=self.link,
            before=old.version if done else "",
            after=outcome.version if done else "",
        )
