"""The clients against forges on this machine: what each does, the same way for all kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.review.forge import Account, ForgeError, Proposal, RequestState
from tests.support.forges.model import Fault
from tests.support.forges.server import TOKEN

if TYPE_CHECKING:
    from tests.caur_ci.review.forges import ForgeUnderTest

PROPOSAL = Proposal(
    branch="update-a",
    target="main",
    title="chore(update): a",
    description="look\n\nat it\n",
    labels=("ci", "human-review", "update"),
    assignees=("alice",),
    reviewers=("carol", "nobody"),
)


class TestRequests:
    """Requests are opened, found, changed and closed."""

    def test_one_is_opened_as_proposed(self, there: ForgeUnderTest) -> None:
        there.forge.person("alice")
        there.forge.person("carol")

        made = there.client.create(PROPOSAL)
        refused = there.client.complete(made, PROPOSAL)

        (one,) = there.forge.open()
        assert (one.branch, one.target, one.title) == ("update-a", "main", PROPOSAL.title)
        assert one.description == PROPOSAL.description
        assert one.labels == ["ci", "human-review", "update"]
        assert (one.assignees, one.reviewers) == (["alice"], ["carol"])
        assert list(refused) == ["nobody"]
        assert one.removes_branch is (there.kind == "gitlab")
        assert (made.number, made.commit, made.state) == (1, "a" * 40, RequestState.OPEN)

    def test_all_open_ones_are_found_whatever_their_number(self, there: ForgeUnderTest) -> None:
        there.forge.page_size = 3
        names = [f"update-p{number}" for number in range(10)]
        there.forge.branches |= dict.fromkeys(names, "b" * 40)
        for name in names:
            there.forge.add(name, "main", "t", "d")
        there.forge.add("update-p1", "other", "t", "d")
        there.forge.add("update-p2", "main", "t", "d", state="closed")
        there.forge.add("update-p3", "main", "t", "d", is_of_fork=True, commit="f" * 40)

        found = there.client.open_requests("main")

        assert sorted(one.branch for one in found) == sorted(names)
        assert {one.commit for one in found} == {"b" * 40}

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("open", RequestState.OPEN),
            ("merged", RequestState.MERGED),
            ("closed", RequestState.CLOSED),
        ],
    )
    def test_the_latest_of_a_branch(
        self, there: ForgeUnderTest, state: str, expected: RequestState
    ) -> None:
        there.forge.add("update-a", "main", "t", "older", state="closed")
        there.forge.add("update-a", "main", "t", "newer", state=state)
        there.forge.add("update-a", "main", "t", "of a fork", is_of_fork=True)

        latest = there.client.latest("update-a", "main")

        assert latest is not None
        assert (latest.number, latest.description, latest.state) == (2, "newer", expected)
        assert there.client.latest("update-b", "main") is None

    def test_one_is_rewritten(self, there: ForgeUnderTest) -> None:
        there.forge.person("alice")
        there.forge.add("update-a", "main", "older", "older")
        there.forge.say(1, "approved", "alice")
        there.forge.say(1, "mine", "alice")
        (found,) = there.client.open_requests("main")

        there.client.rewrite(found, PROPOSAL, drop=["approved", "approved-danger"])

        (one,) = there.forge.open()
        assert (one.title, one.description) == (PROPOSAL.title, PROPOSAL.description)
        assert one.labels == ["mine"]

    def test_one_is_closed_with_a_reason(self, there: ForgeUnderTest) -> None:
        there.forge.add("update-a", "main", "t", "d")
        (found,) = there.client.open_requests("main")

        there.client.close(found, "because")

        assert there.forge.open() == []
        assert there.forge.request(1).comments == ["because"]

    def test_labels_that_are_missing_are_made(self, there: ForgeUnderTest) -> None:
        there.forge.labels = {"approved": "mine"}

        there.client.provide_labels([("approved", "x"), ("hold", "leave it")])

        assert there.forge.labels == {"approved": "mine", "hold": "leave it"}

    def test_the_page_of_the_change(self, there: ForgeUnderTest) -> None:
        page = there.client.comparison("update-a+b", "main")

        inner = "g/p/-" if there.kind == "gitlab" else "owner/name"
        assert page == f"https://{there.kind}.example.org/{inner}/compare/main...update-a%2Bb"


class TestHistory:
    """Who put which label there, when, and since when the change is what it is."""

    def test_labels_with_their_people(self, there: ForgeUnderTest) -> None:
        there.forge.page_size = 2
        alice = there.forge.person("alice")
        there.forge.add("update-a", "main", "t", "d")
        for _ in range(3):
            there.forge.say(1, "hold", "alice")
            there.forge.unsay(1, "hold", "alice")
        (found,) = there.client.open_requests("main")

        history = there.client.history(found)

        assert [event.is_added for event in history.labels] == [True, False] * 3
        assert {event.account for event in history.labels} == {Account(alice.id, "alice")}
        times = [event.time for event in history.labels]
        assert times == [time for *_, time in there.forge.request(1).events]

    def test_since_when_it_is_unchanged(self, there: ForgeUnderTest) -> None:
        there.forge.add("update-a", "main", "t", "d")
        there.forge.branches["update-a"] = "c" * 40
        there.forge.sync()
        pushed = there.forge.now
        (found,) = there.client.open_requests("main")

        assert there.client.history(found).unchanged_since == pushed

    def test_programs_are_no_people(self, there: ForgeUnderTest) -> None:
        name = "project_7_bot_0123" if there.kind == "gitlab" else "robot[bot]"
        there.forge.person(name, is_bot=True)
        there.forge.add("update-a", "main", "t", "d")
        there.forge.say(1, "approved", name)
        (found,) = there.client.open_requests("main")

        (event,) = there.client.history(found).labels

        assert not event.account.is_person


class TestRights:
    """Whoever may merge at the forge may decide."""

    @pytest.mark.parametrize(("level", "may"), [(0, False), (20, False), (30, True), (50, True)])
    def test_by_the_role(self, there: ForgeUnderTest, level: int, *, may: bool) -> None:
        person = there.forge.person("alice", level)

        for _ in range(2):
            assert there.client.may_merge(Account(person.id, "alice"), "main") is may

    def test_somebody_unknown_may_not(self, there: ForgeUnderTest) -> None:
        assert not there.client.may_merge(Account(99, "x/../y"), "main")

    @pytest.mark.parametrize(
        ("rule", "may"),
        [
            ({"access_level": 40}, False),
            ({"access_level": 30}, True),
            ({"access_level": 0}, False),
            ({"access_level": 40, "user_id": 2}, True),
            ({"access_level": 40, "user_id": 3}, False),
            ({"access_level": 30, "group_id": 5}, False),
        ],
    )
    @pytest.mark.parametrize("there", ["gitlab"], indirect=True)
    def test_by_the_rules_of_the_branch(
        self, there: ForgeUnderTest, rule: dict[str, int], *, may: bool
    ) -> None:
        there.forge.protected = {"rel*": [{"access_level": 30}], "ma*": [rule]}
        person = there.forge.person("alice", 30)

        assert there.client.may_merge(Account(person.id, "alice"), "main") is may

    @pytest.mark.parametrize("there", ["gitlab"], indirect=True)
    def test_where_the_rules_are_secret_the_strictest_hold(self, there: ForgeUnderTest) -> None:
        developer = there.forge.person("alice", 30)
        maintainer = there.forge.person("bob", 40)
        there.forge.faults.extend([Fault(403, "protected_branches")] * 2)

        assert not there.client.may_merge(Account(developer.id, "alice"), "main")
        assert there.client.may_merge(Account(maintainer.id, "bob"), "main")


class TestTrouble:
    """What goes wrong is named, with what to do, and without the token."""

    @pytest.mark.parametrize(
        ("status", "is_final", "hint"),
        [
            (400, False, "names the field"),
            (401, True, "ACCESS_TOKEN"),
            (403, False, "token may not"),
            (404, False, "no such project"),
            (409, False, "next run"),
            (422, False, "refuses"),
            (429, True, "Too much"),
            (500, True, "up"),
            (503, True, "up"),
        ],
    )
    def test_an_error(
        self, there: ForgeUnderTest, status: int, hint: str, *, is_final: bool
    ) -> None:
        body = f'{{"message": "no: {TOKEN}"}}'
        there.forge.faults.extend([Fault(status, body=body)] * 3)

        with pytest.raises(ForgeError) as caught:
            there.client.create(PROPOSAL)

        error = caught.value
        assert (error.status, error.final) == (status, is_final)
        assert f"status {status} (no: ***)" in error.message
        assert error.message.startswith("no ")
        assert hint in error.hint
        _has_no_token(error, there)

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 0])
    def test_reading_is_tried_again(self, there: ForgeUnderTest, status: int) -> None:
        there.forge.faults.extend([Fault(status)] * 2)
        there.forge.add("update-a", "main", "t", "d")

        assert len(there.client.open_requests("main")) == 1
        assert there.slept == [1.0, 4.0]

    @pytest.mark.parametrize("status", [500, 502, 504, 0])
    def test_opening_is_not(self, there: ForgeUnderTest, status: int) -> None:
        there.forge.faults.append(Fault(status))

        with pytest.raises(ForgeError):
            there.client.create(PROPOSAL)
        assert there.slept == []

    def test_no_answer(self, there: ForgeUnderTest) -> None:
        there.forge.faults.extend([Fault(0)] * 3)

        with pytest.raises(ForgeError, match="cannot be reached") as caught:
            there.client.open_requests("main")
        assert (caught.value.status, caught.value.final) == (0, True)
        _has_no_token(caught.value, there)

    def test_an_answer_that_makes_no_sense(self, there: ForgeUnderTest) -> None:
        headers = {"Content-Type": "application/json"}
        there.forge.faults.extend([Fault(200, body='{"x": 1}', headers=headers)] * 3)

        with pytest.raises(ForgeError):
            there.client.create(PROPOSAL)

    @pytest.mark.parametrize("status", [429, 503])
    def test_the_forge_says_how_long_to_wait(self, there: ForgeUnderTest, status: int) -> None:
        there.forge.faults.append(Fault(status, headers={"Retry-After": "17"}))

        there.client.create(PROPOSAL)

        assert there.slept == [17.0]

    def test_nobody_waits_for_very_long(self, there: ForgeUnderTest) -> None:
        there.forge.faults.append(Fault(429, headers={"Retry-After": "3600"}))

        with pytest.raises(ForgeError, match="429"):
            there.client.create(PROPOSAL)
        assert there.slept == []

    def test_nobody_waits_for_long_again_and_again(self, there: ForgeUnderTest) -> None:
        for _ in range(3):
            there.forge.faults.append(Fault(429, headers={"Retry-After": "50"}))
            there.client.open_requests("main")
        there.forge.faults.append(Fault(429, headers={"Retry-After": "50"}))

        with pytest.raises(ForgeError, match="429"):
            there.client.open_requests("main")
        assert there.slept == [50.0] * 3

    @pytest.mark.parametrize("there", ["github"], indirect=True)
    def test_a_limit_that_looks_like_a_refusal(self, there: ForgeUnderTest) -> None:
        there.forge.faults.append(Fault(403, headers={"Retry-After": "9"}))
        there.forge.faults.append(Fault(403, headers={"X-RateLimit-Remaining": "0"}))

        there.client.create(PROPOSAL)

        assert there.slept == [9.0, 4.0]

    @pytest.mark.parametrize("there", ["gitlab"], indirect=True)  # PyGithub follows nobody
    def test_the_token_goes_to_no_other_host(self, there: ForgeUnderTest) -> None:
        headers = {"Location": "http://localhost:9/elsewhere"}
        there.forge.faults.extend([Fault(302, headers=headers)] * 3)

        with pytest.raises(ForgeError) as caught:
            there.client.open_requests("main")
        _has_no_token(caught.value, there)


def _has_no_token(error: ForgeError, there: ForgeUnderTest) -> None:
    shown: list[object] = [error.message, error.hint, there.client, error]
    cause: BaseException | None = error
    while cause is not None:
        shown += [cause, cause.args]
        cause = None if cause.__suppress_context__ else cause.__cause__ or cause.__context__
    assert TOKEN not in " ".join(f"{it!s} {it!r}" for it in shown)
