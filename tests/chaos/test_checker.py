"""The checker of the chaos test finds what it is there for: each rule is broken once here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from scheduler.job import JobSpec, Outcome
from tests.chaos.check import check
from tests.chaos.history import Change, History
from tests.chaos.journal import OK, STALE, Word
from tests.chaos.workload import Request
from tests.support.queue import job

if TYPE_CHECKING:
    from collections.abc import Callable

_SUCCESS, _FAILED = str(int(Outcome.SUCCESS)), str(int(Outcome.FAILED))


class Story:
    """A run of two jobs, of which the second depends on the first; told in order."""

    def __init__(self) -> None:
        self.jobs: dict[int, JobSpec] = {1: job("lib"), 2: job("app", "lib")}
        self.words: list[Word] = []
        self.changes: list[Change] = []
        self._clock = 0.0
        self.word("submitter0-0", "submit", {"request": "r"}, {"jobs": [1, 2]} | _NOTHING_ELSE)
        self.change("submitted", 1, "ready")
        self.change("submitted", 2, "waiting")

    def word(
        self,
        actor: str,
        kind: str,
        told: dict[str, Any],
        result: dict[str, Any] | None = None,
        *,
        answer: str = OK,
    ) -> None:
        self._clock += 2
        self.words.append(
            Word(
                actor=actor,
                kind=kind,
                said=self._clock - 1,
                told=told,
                heard=self._clock,
                answer=answer,
                result=result or {},
            )
        )

    def change(self, kind: str, number: int, state: str, **fields: Any) -> None:  # noqa: ANN401
        fields = {"request": "r", "identity": self.jobs[number].identity} | fields
        change = Change(id=str(len(self.changes)), kind=kind, job=number, state=state, **fields)
        self.changes.append(change)

    def claim(self, number: int, worker: str, token: int, attempt: int = 1) -> None:
        claim = {"job": number, "token": token, "attempt": attempt}
        told = {"name": worker, "class": 3}
        self.word(worker, "claim", told, {"claims": [claim]})
        self.change("claimed", number, "building", worker=worker, attempt=attempt)

    def say(self, worker: str, kind: str, number: int, token: int, **more: Any) -> None:  # noqa: ANN401
        answer = more.pop("answer", OK)
        result = {"state": "landed"} if kind == "land" else {}
        self.word(worker, kind, {"job": number, "token": token} | more, result, answer=answer)

    def finish(self, number: int, worker: str, token: int, outcome: str = _SUCCESS) -> None:
        self.say(worker, "finish", number, token, outcome=int(outcome))
        self.change("done", number, "done", worker=worker, outcome=outcome)

    def build(self, number: int, worker: str, token: int) -> None:
        self.claim(number, worker, token)
        self.finish(number, worker, token)

    def history(self) -> History:
        request = Request("r", tuple(self.jobs.values()))
        words, changes = tuple(self.words), tuple(self.changes)
        return History(requests=(request,), words=words, changes=changes)


GOES_BEFORE = "goes before {}, which it depends on and which depend on it"
_NOTHING_ELSE: dict[str, Any] = {"known": False, "refused": []}


def good() -> Story:
    story = Story()
    story.build(1, "worker0", 1)
    story.change("ready", 2, "ready")
    story.claim(2, "worker1", 2)
    story.change("returned", 2, "ready")
    story.say("worker1", "release", 2, 2)
    story.claim(2, "worker0", 3, attempt=2)
    story.say("worker0", "land", 2, 3)
    story.change("landed", 2, "landed", worker="worker0")
    story.change("publishing", 2, "publishing", worker="runner0")
    story.word("runner0", "publish", {}, {"claims": [{"job": 2, "token": 4, "attempt": 2}]})
    story.finish(2, "runner0", 4)
    return story


def started_early() -> Story:
    story = Story()
    story.claim(1, "worker0", 1)
    story.change("ready", 2, "ready")
    story.build(2, "worker1", 2)
    story.finish(1, "worker0", 1)
    return story


def started_twice() -> Story:
    story = good_until_second()
    story.claim(2, "worker0", 2)
    story.claim(2, "worker1", 3)
    story.finish(2, "worker1", 3)
    return story


def good_until_second() -> Story:
    story = Story()
    story.build(1, "worker0", 1)
    story.change("ready", 2, "ready")
    return story


def never_ended() -> Story:
    story = good_until_second()
    story.claim(2, "worker0", 2)
    return story


def ended_twice() -> Story:
    story = good_until_second()
    story.build(2, "worker0", 2)
    story.change("done", 2, "done", worker="worker0", outcome=_FAILED)
    return story


def both_believed() -> Story:
    story = good_until_second()
    story.claim(2, "worker0", 2)
    story.change("expired", 2, "ready")
    story.claim(2, "worker1", 3, attempt=2)
    story.finish(2, "worker1", 3)
    story.say("worker0", "finish", 2, 2, outcome=0)
    return story


def stale_landing() -> Story:
    story = good_until_second()
    story.claim(2, "worker0", 2)
    story.change("expired", 2, "ready")
    story.claim(2, "worker1", 3, attempt=2)
    story.say("worker0", "land", 2, 2)
    story.finish(2, "worker1", 3)
    return story


def believed_after_handing_back() -> Story:
    story = good_until_second()
    story.claim(2, "worker0", 2)
    story.say("worker0", "release", 2, 2)
    story.say("worker0", "renew", 2, 2)
    story.finish(2, "worker0", 2)
    return story


def ended_by_nobody() -> Story:
    story = good_until_second()
    story.claim(2, "worker0", 2)
    story.change("done", 2, "done", worker="worker0", outcome=_SUCCESS)
    return story


def two_deliveries() -> Story:
    story = good_until_second()
    story.claim(2, "worker0", 2)
    story.say("worker0", "land", 2, 2)
    story.say("worker1", "land", 2, 3)
    story.finish(2, "worker0", 2)
    return story


def given_up_early() -> Story:
    story = good_until_second()
    story.claim(2, "worker0", 2)
    outcome = str(int(Outcome.SOFTWARE_FAILURE))
    story.change("done", 2, "done", worker="worker0", outcome=outcome)
    return story


def out_of_turn() -> Story:
    story = Story()
    story.jobs[2] = job("app")
    story.changes[-1] = replace(story.changes[-1], state="ready")
    story.build(2, "worker0", 1)
    story.build(1, "worker0", 2)
    return story


def too_small_a_worker() -> Story:
    story = Story()
    story.jobs[1] = job("lib", build_class="9")
    story.build(1, "worker0", 1)
    story.change("ready", 2, "ready")
    story.build(2, "worker0", 2)
    return story


def one_job_lost() -> Story:
    story = Story()
    del story.changes[-1]
    story.build(1, "worker0", 1)
    return story


def taken_twice() -> Story:
    story = good()
    story.word("submitter0-1", "submit", {"request": "r"}, {"jobs": [3]} | _NOTHING_ELSE)
    story.changes.append(replace(story.changes[0], job=3))
    story.claim(1, "worker0", 9)
    return story


def same_token() -> Story:
    story = good_until_second()
    story.claim(2, "worker1", 1)
    story.finish(2, "worker1", 1)
    return story


def before_what_does_not_wait() -> Story:
    story = Story()
    story.change("cycle", 2, "ready", reason=GOES_BEFORE.format("repo/x86_64/lib"))
    story.build(2, "worker0", 1)
    story.build(1, "worker0", 2)
    return story


def unheard() -> Story:
    story = good()
    story.words[0] = replace(story.words[0], heard=None, answer=None, result={})
    return story


def test_a_run_without_fault_is_not_found_fault_with() -> None:
    verdict = check(good().history())
    assert not verdict.problems
    assert verdict.counts["ended SUCCESS"] == 2


@pytest.mark.parametrize(
    ("story", "found"),
    [
        (started_early, "is started before repo/x86_64/lib (job 1)"),
        (started_early, "worker1 had job 2 before job 1 was over"),
        (started_twice, "is started while job 2 of it is running"),
        (never_ended, "has not ended, it is building"),
        (ended_twice, "is done after its end"),
        (both_believed, "2 ends were accepted"),
        (both_believed, "worker0 said finish with the stale token 2"),
        (stale_landing, "worker0 said land with the stale token 2"),
        (believed_after_handing_back, "worker0 said renew after handing it back"),
        (ended_by_nobody, "which worker0 never said"),
        (two_deliveries, "2 landings were accepted"),
        (given_up_early, "is given up after 1 losses"),
        (out_of_turn, "is claimed before job 1, whose turn it is"),
        (too_small_a_worker, "of class 9 is not for worker0"),
        (one_job_lost, "r was not taken once and whole"),
        (one_job_lost, "job 2, acknowledged with r, was never submitted"),
        (taken_twice, "r was acknowledged as new more than once"),
        (taken_twice, "repo/x86_64/lib"),
        (same_token, "token 1 went to worker0 and to worker1"),
        (before_what_does_not_wait, "goes before repo/x86_64/lib, which does not wait for it"),
        (before_what_does_not_wait, "is started before repo/x86_64/lib (job 1)"),
        (unheard, "r was never acknowledged"),
    ],
)
def test_each_broken_rule_is_found(story: Callable[[], Story], found: str) -> None:
    assert any(found in problem for problem in check(story().history()).problems)


def test_a_cycle_is_closed_by_those_who_wait_although_they_went_before_others() -> None:
    story = Story()
    story.jobs = {1: job("a", "b", "d"), 2: job("b", "a", "c"), 3: job("c", "b"), 4: job("d", "b")}
    story.changes.clear()
    for number in (1, 2, 3):
        story.change("submitted", number, "waiting")
    # Once the first had its turn, the second goes before the third alone.
    story.change("cycle", 1, "waiting", reason=GOES_BEFORE.format("repo/x86_64/b"))
    story.change("cycle", 2, "waiting", reason=GOES_BEFORE.format("repo/x86_64/c"))
    story.change("ready", 1, "ready")
    story.change("submitted", 4, "waiting")
    story.change("cycle", 1, "ready", reason=GOES_BEFORE.format("repo/x86_64/d"))
    for number in (1, 2, 3, 4):
        story.change("ready", number, "ready")
        story.build(number, "worker0", number)
    story.words[0] = replace(story.words[0], result={"jobs": [1, 2, 3, 4]} | _NOTHING_ELSE)
    assert not check(story.history()).problems


def test_refused_words_are_no_fault() -> None:
    story = good()
    story.say("worker1", "finish", 2, 2, outcome=3, answer=STALE)
    story.say("worker1", "land", 2, 2, answer=STALE)
    assert not check(story.history()).problems


@pytest.mark.parametrize(
    ("spoiled", "found"),
    [
        ({"is_drained": False}, "not empty in the end"),
        ({"leftovers": ("hand:worker0-1",)}, "left in Redis: hand:worker0-1"),
        ({"crashes": ("worker0-1 ended with 1",)}, "crashed: worker0-1"),
    ],
)
def test_what_is_left_over_is_found(spoiled: dict[str, Any], found: str) -> None:
    assert any(found in problem for problem in check(replace(good().history(), **spoiled)).problems)
