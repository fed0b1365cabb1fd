"""What the journals say by themselves and about the stream: ends, tokens, and times."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.job import JobState, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.chaos.history import History
    from tests.chaos.journal import Word
    from tests.chaos.replay import Replay

# Words that take a token.
_HOLDERS_WORDS = ("renew", "land", "finish", "release")
# Ends that nobody but the holder of a job can bring about.
_SAID_BY_HOLDERS = {
    str(int(outcome))
    for outcome in Outcome
    if outcome not in {Outcome.CANCELED, Outcome.CANCELED_REQUEUE, Outcome.SOFTWARE_FAILURE}
}


@dataclass(frozen=True, slots=True)
class _Start:
    """A claim that somebody heard of: it began between `asked` and `heard`."""

    job: int
    token: int
    actor: str
    asked: float
    heard: float
    to_build: bool


def word_problems(history: History, replay: Replay) -> Iterator[str]:
    """Yield what is wrong with what was said, and with what was listened to."""
    starts = list(_starts(history.words))
    yield from _ends(history, replay)
    yield from _landings(history)
    yield from _tokens(starts)
    yield from _stale_words(history, starts)
    yield from _early_starts(history, replay, starts)


def _ends(history: History, replay: Replay) -> Iterator[str]:
    """Each job ends as its holder said, and nobody else is told that they ended it."""
    said = _by_job(history.words, lambda word: word.kind == "finish")
    for job, life in replay.jobs.items():
        words = said.get(job, [])
        accepted = [word for word in words if word.is_accepted]
        if len({word.told["token"] for word in accepted}) > 1:
            yield f"job {job}: {len(accepted)} ends were accepted"
        for word in accepted:
            if (word.actor, str(word.told["outcome"])) != (life.holder, life.outcome):
                yield f"job {job}: {word.actor} ended it, the stream says {life.holder}"
        if life.outcome in _SAID_BY_HOLDERS and not any(
            (word.actor, str(word.told["outcome"])) == (life.holder, life.outcome) for word in words
        ):
            yield f"job {job} ended with {life.outcome}, which {life.holder} never said"


def _landings(history: History) -> Iterator[str]:
    """A job is built once: no second delivery is taken."""
    for job, words in _by_job(history.words, lambda word: word.kind == "land").items():
        if len({word.told["token"] for word in words if _has_effect(word)}) > 1:
            yield f"job {job}: {len(words)} landings were accepted"


def _tokens(starts: list[_Start]) -> Iterator[str]:
    """A token is given out once."""
    owners: dict[int, _Start] = {}
    for start in starts:
        other = owners.setdefault(start.token, start)
        if other is not start:
            yield f"token {start.token} went to {other.actor} and to {start.actor}"


def _stale_words(history: History, starts: list[_Start]) -> Iterator[str]:
    """Whoever's claim was over before they spoke is not listened to.

    A claim is over when somebody has heard of a later one for the job, or when its holder has
    handed it back.
    """
    later: defaultdict[int, list[_Start]] = defaultdict(list)
    for start in starts:
        later[start.job].append(start)
    handed_back = {
        word.told["token"]: word.heard
        for word in history.words
        if word.kind == "release" and word.is_accepted and word.heard is not None
    }
    for word in history.words:
        if word.kind not in _HOLDERS_WORDS or not _has_effect(word):
            continue
        token, job = word.told["token"], word.told["job"]
        if any(start.token > token and start.heard < word.said for start in later[job]):
            yield f"job {job}: {word.actor} said {word.kind} with the stale token {token}"
        if word.said > handed_back.get(token, word.said):
            yield f"job {job}: {word.actor} said {word.kind} after handing it back"


def _early_starts(history: History, replay: Replay, starts: list[_Start]) -> Iterator[str]:
    """By the clock alone: nobody has heard of a job while what it needs cannot have ended."""
    acknowledged = _acknowledged(history.words)
    first_ends: dict[int, float] = {}
    for word in history.words:
        if word.kind == "finish":
            first_ends.setdefault(word.told["job"], word.said)
    providers: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for life in replay.jobs.values():
        if life.outcome in _SAID_BY_HOLDERS and life.id in acknowledged and life.id in first_ends:
            for name in life.names:
                providers[life.scope, name].add(life.id)
    for start in starts:
        started = replay.jobs.get(start.job)
        # What a replaced job depended on when it started, the clock does not tell.
        if not start.to_build or started is None or not started.is_plain:
            continue
        for other in {job for name in started.wants for job in providers[started.scope, name]}:
            if acknowledged[other] < start.asked and start.heard < first_ends[other]:
                yield f"{start.actor} had job {start.job} before job {other} was over"


def _acknowledged(words: Iterable[Word]) -> dict[int, float]:
    """Return since when each job is known to be in the queue."""
    found: dict[int, float] = {}
    for word in words:
        if word.kind == "submit" and word.is_accepted and word.heard is not None:
            for job in word.result["jobs"]:
                found.setdefault(job, word.heard)
    return found


def _starts(words: Iterable[Word]) -> Iterator[_Start]:
    for word in words:
        if word.kind in {"claim", "publish"} and word.heard is not None:
            for claim in word.result.get("claims", ()):
                yield _Start(
                    job=claim["job"],
                    token=claim["token"],
                    actor=word.actor,
                    asked=word.said,
                    heard=word.heard,
                    to_build=word.kind != "publish",
                )


def _by_job(words: Iterable[Word], wanted: Callable[[Word], bool]) -> dict[int, list[Word]]:
    found: defaultdict[int, list[Word]] = defaultdict(list)
    for word in words:
        if wanted(word):
            found[word.told["job"]].append(word)
    return dict(found)


def _has_effect(word: Word) -> bool:
    """Tell whether the queue did as told; a delivery of a canceled job is not wanted any more."""
    return word.is_accepted and (word.kind != "land" or word.result["state"] == JobState.LANDED)
