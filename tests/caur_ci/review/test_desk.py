"""Requests are kept in step with branches, whatever the forge refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.review.desk import Heard, ReviewDesk
from caur_ci.review.request import ReviewPoint, ReviewRequest
from tests.support.forges.model import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.review.desk import FollowUp
    from tests.caur_ci.review.forges import ForgeUnderTest

A = "a" * 40


def request_for(name: str, commit: str = A) -> ReviewRequest:
    return ReviewRequest(
        package=name,
        branch=f"update-{name}",
        target="main",
        commit=commit,
        points=(ReviewPoint(message="odd"),),
    )


def desk_of(there: ForgeUnderTest) -> ReviewDesk:
    return ReviewDesk(there.new_client(), "main")


def follow_up(
    there: ForgeUnderTest, *wanted: ReviewRequest, branches: Sequence[str] = ()
) -> FollowUp:
    """Do what a run does, before its push and after it."""
    desk = desk_of(there)
    heard = desk.hear({one.branch: one.commit for one in wanted})
    assert heard.is_complete
    there.forge.calls.clear()
    names = branches or [one.branch for one in wanted]
    return desk.follow_up(wanted, branches=names, rejected={})


def changed(there: ForgeUnderTest) -> int:
    return sum(call.method != "GET" for call in there.forge.calls)


def test_a_request_is_opened_once(there: ForgeUnderTest) -> None:
    first = follow_up(there, request_for("a"))
    assert first.pages == {"a": there.client.open_requests("main")[0].url}

    again = follow_up(there, request_for("a"))

    assert again == first
    assert len(there.forge.open()) == 1
    assert changed(there) == 0


def test_one_of_the_existing_system_is_taken_over(there: ForgeUnderTest) -> None:
    there.forge.add("update-a", "main", "chore(update): a", "theirs")

    follow_up(there, request_for("a"))

    (one,) = there.forge.open()
    assert "`odd`" in one.description
    assert one.labels == ["ci", "human-review", "update"]


def test_what_was_begun_is_finished(there: ForgeUnderTest) -> None:
    there.forge.faults.append(Fault(500, "PUT" if there.kind == "gitlab" else "issues/1/labels"))
    there.forge.faults.extend([replace(there.forge.faults[0])] * 2)
    done = follow_up(there, request_for("a"))
    assert any("cannot be labelled" in problem for problem in done.problems)
    assert there.forge.open()[0].labels == []

    assert follow_up(there, request_for("a")).problems == []
    assert there.forge.open()[0].labels == ["ci", "human-review", "update"]


def test_an_answer_that_was_lost_opens_no_second_one(there: ForgeUnderTest) -> None:
    desk = desk_of(there)
    desk.hear({})
    there.forge.add("update-a", "main", "t", "opened meanwhile")

    done = desk.follow_up([request_for("a")], branches=["update-a"], rejected={})

    (one,) = there.forge.open()
    assert "`odd`" in one.description
    assert done.problems == []
    assert done.pages.keys() == {"a"}


def test_one_without_a_branch_is_closed(there: ForgeUnderTest) -> None:
    follow_up(there, request_for("a"))
    there.forge.add("mine", "main", "t", "d", commit=A)
    there.forge.closes_without_branch = False

    follow_up(there, branches=["update-b"])

    assert there.forge.request(1).state == "closed"
    assert "removed" in there.forge.request(1).comments[0]
    assert there.forge.request(2).state == "open"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_the_same_refusal_again_and_again_ends_it(there: ForgeUnderTest, status: int) -> None:
    names = "abcdefgh"
    there.forge.branches |= {f"update-{name}": A for name in names}
    pulls = "POST /api/v4/projects/7/merge_requests" if there.kind == "gitlab" else "/pulls"
    desk = desk_of(there)
    desk.hear({})
    there.forge.faults.extend([Fault(status, pulls)] * 20)

    done = desk.follow_up(
        [request_for(name) for name in names],
        branches=[f"update-{name}" for name in names],
        rejected={},
    )

    assert len(done.problems) == 4
    assert done.problems[-1] == "5 more requests are left to the next run"
    assert done.pages == {}


@pytest.mark.parametrize("status", [401, 429, 500, 0])
def test_what_will_not_go_better_ends_it_at_once(there: ForgeUnderTest, status: int) -> None:
    there.forge.branches |= {"update-b": A}
    desk = desk_of(there)
    desk.hear({})
    there.forge.faults.extend([Fault(status, headers={"Retry-After": "999"})] * 20)

    done = desk.follow_up(
        [request_for("a"), request_for("b")], branches=["update-a", "update-b"], rejected={}
    )

    assert len(done.problems) == 2
    assert done.problems[-1] == "1 more requests are left to the next run"


def test_one_refusal_keeps_no_other_from_being_opened(there: ForgeUnderTest) -> None:
    there.forge.branches |= {"update-b": A}
    desk = desk_of(there)
    desk.hear({})
    place = "projects/7/merge_requests" if there.kind == "gitlab" else "repos/owner/name/pulls"
    there.forge.faults.append(Fault(400, place))

    done = desk.follow_up(
        [request_for("a"), request_for("b")], branches=["update-a", "update-b"], rejected={}
    )

    assert done.pages.keys() == {"b"}
    assert len(done.problems) == 1


def test_a_forge_that_tells_nothing_is_left_alone(there: ForgeUnderTest) -> None:
    desk = desk_of(there)
    there.forge.faults.extend([Fault(500)] * 3)
    heard = desk.hear({})
    there.forge.calls.clear()

    done = desk.follow_up([request_for("a")], branches=["update-a"], rejected={})

    assert not heard.is_complete
    assert "status 500" in heard.problems[0]
    assert there.forge.calls == []
    assert len(done.notes) == 1


def test_what_was_heard_can_be_stored(there: ForgeUnderTest) -> None:
    there.forge.person("bob")
    there.forge.person("mallory", 20)
    there.forge.add("update-a", "main", "t", "d")
    there.forge.say(1, "hold", "bob")
    there.forge.say(1, "approved", "mallory")

    heard = desk_of(there).hear({"update-a": A})

    assert [said.by for said in heard.said] == ["bob"]
    assert len(heard.notes) == 1
    assert Heard.from_dict(heard.to_dict()) == heard


def test_words_on_a_request_that_was_closed_count(there: ForgeUnderTest) -> None:
    there.forge.person("bob")
    there.forge.add("update-a", "main", "t", "d")
    there.forge.say(1, "dangerous", "bob")
    there.forge.request(1).state = "closed"

    assert len(desk_of(there).hear({"update-a": A}).said) == 1
    assert desk_of(there).hear({"update-a": "b" * 40}).said == ()
