"""Why a package is as it is, in sentences, each with those that explain it further."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.web.pages.paths import package_path
from scheduler.web.pages.words import state_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caur_ci.facts import PackageFacts
    from scheduler.queue import Blocker, Explanation

_SHOWN_BLOCKERS = 20


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is known, with a page that tells more; `because` goes deeper."""

    text: str
    path: str = ""
    because: tuple[Reason, ...] = ()


def reasons_of(
    explanation: Explanation | None, facts: PackageFacts | None, *, is_queue_known: bool = True
) -> tuple[Reason, ...]:
    """Return what queue and repository say, the most important things first."""
    if not is_queue_known:
        unknown = Reason("What the queue knows of it cannot be told: it is out of reach now")
        return (*_of_facts(facts), unknown)
    return (*_of_facts(facts), *_of_queue(explanation, facts))


def _of_facts(facts: PackageFacts | None) -> Iterator[Reason]:
    if facts is None:
        return
    if facts.hold is not None:
        why = f": {facts.hold.reason}" if facts.hold.reason else ""
        left_out = facts.hold.left_out
        if facts.hold.recalled:
            yield Reason("It was recalled: nothing of it is published until somebody lets it go")
        yield Reason(
            f"It is on hold by {facts.hold.by}{why}",
            because=(Reason(f"left out since: {left_out}"),) if left_out else (),
        )
    if facts.broken is not None:
        lost = ", ".join(f"{need.name} of {need.offered_by}" for need in facts.broken.lost)
        yield Reason(f"What is published has lost {lost}")
    for problem in facts.problems[:5]:
        yield Reason(problem)


def _of_queue(explanation: Explanation | None, facts: PackageFacts | None) -> Iterator[Reason]:
    if explanation is None:
        if facts is not None:
            yield Reason("The queue knows nothing of it: no build was asked for lately")
        return
    first, *rest = explanation.reasons or ("nothing is to be built",)
    pending = explanation.pending
    blockers = _blockers(explanation.blockers, pending.job_id) if pending else ()
    yield Reason(_sentence(first), because=blockers)
    yield from (Reason(_sentence(text)) for text in rest)


def _blockers(blockers: Sequence[Blocker], waiter: int) -> tuple[Reason, ...]:
    """Return what a job waits for, and what that waits for; each job at its first place only."""
    waits_for: dict[int, list[Blocker]] = defaultdict(list)
    for blocker in blockers[:_SHOWN_BLOCKERS]:
        waits_for[blocker.waiter].append(blocker)
    return tuple(_below(waiter, waits_for, {waiter}))


def _below(
    waiter: int, waits_for: Mapping[int, Sequence[Blocker]], told: set[int]
) -> Iterator[Reason]:
    for blocker in waits_for.get(waiter, ()):
        job = blocker.job
        if job.job_id in told:
            continue
        told.add(job.job_id)
        state = "held" if job.held_by else state_words(job.state)
        provides = f", for {blocker.name}" if blocker.name else ""
        yield Reason(
            f"{job.identity} is {state}{provides}",
            package_path(job.identity),
            tuple(_below(job.job_id, waits_for, told)),
        )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
