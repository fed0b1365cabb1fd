"""The verdict on a run: what its processes wrote down, against the stream and what is left."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.job import JobState, Outcome
from tests.chaos.journal import STALE
from tests.chaos.replay import Replay
from tests.chaos.words import word_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.chaos.history import History
    from tests.chaos.journal import Word
    from tests.chaos.workload import Request

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problems` are rules that were broken; `counts` is what the run was made of."""

    problems: tuple[str, ...]
    counts: Mapping[str, int]

    def __str__(self) -> str:
        lines = [f"{number:6}  {what}" for what, number in self.counts.items()]
        lines += [f"BROKEN  {problem}" for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"        and {len(self.problems) - _SHOWN} more")
        return "\n".join(lines)


def check(history: History) -> Verdict:
    """Hold a run against the contract of the queue."""
    replay = Replay(history)
    problems = [
        *([] if history.is_drained else ["the queue was not empty in the end"]),
        *(f"left in Redis: {what}" for what in history.leftovers),
        *(f"crashed: {what}" for what in history.crashes),
        *_requests(history, replay),
        *_removals(history),
        *word_problems(history, replay),
        *replay.problems,
    ]
    return Verdict(tuple(problems), _counts(history, replay))


def _requests(history: History, replay: Replay) -> Iterator[str]:
    """Every request is acknowledged in the end, and was taken exactly once."""
    taken: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for life in replay.jobs.values():
        for name in life.requests:
            taken[name][life.identity] += 1
    acknowledged: defaultdict[str, list[Word]] = defaultdict(list)
    for word in history.words:
        if word.kind == "submit" and word.is_accepted:
            acknowledged[word.told["request"]].append(word)
    for request in history.requests:
        if taken[request.id] != Counter(job.identity for job in request.jobs):
            yield f"{request.id} was not taken once and whole"
        yield from _acknowledgements(request, acknowledged[request.id], replay)


def _acknowledgements(request: Request, words: list[Word], replay: Replay) -> Iterator[str]:
    if not words:
        yield f"{request.id} was never acknowledged"
    if sum(not word.result["known"] for word in words) > 1:
        yield f"{request.id} was acknowledged as new more than once"
    for word in words:
        for job in word.result["jobs"]:
            if job not in replay.jobs or request.id not in replay.jobs[job].requests:
                yield f"job {job}, acknowledged with {request.id}, was never submitted"
        if word.result["refused"]:
            yield f"{request.id}: refused jobs {word.result['refused']}"


def _removals(history: History) -> Iterator[str]:
    """Every removal of a request ends exactly once."""
    begun: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for change in history.changes:
        if change.kind == "removal":
            begun[change.request] += change.state == JobState.WAITING
            ended[change.request] += change.state == JobState.DONE
    for request in history.requests:
        if not begun[request.id] == ended[request.id] == len(request.removals):
            yield f"{request.id}: {begun[request.id]} removals taken, {ended[request.id]} ended"


def _counts(history: History, replay: Replay) -> Mapping[str, int]:
    outcomes = Counter(life.outcome for life in replay.jobs.values())
    counts = {
        "requests": len(history.requests),
        "jobs acknowledged": sum(len(request.jobs) for request in history.requests),
        "of them replaced while they were pending": replay.counts["replaced"],
        "of them ended as jobs of their own": len(replay.jobs),
        "claims": replay.counts["claimed"],
        "leases that ran out": replay.counts["expired"],
        "jobs handed back": replay.counts["returned"],
        "words refused as stale": sum(word.answer == STALE for word in history.words),
        "words without an answer": sum(word.heard is None for word in history.words),
        "cycles broken": replay.counts["cycle"],
        "jobs promoted": replay.counts["promoted"],
        "jobs held": replay.counts["held"],
        "jobs retried": replay.counts["retried"],
        "jobs put into quarantine": replay.counts["quarantined"],
        "pauses": replay.counts["paused"],
    }
    counts |= {f"ended {o.name}": outcomes[str(int(o))] for o in Outcome}
    counts |= {f"fault: {what}": number for what, number in sorted(history.faults.items())}
    return counts | {f"deaths: {what}": number for what, number in sorted(history.deaths.items())}
