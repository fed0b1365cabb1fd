"""Comments at forges on this machine: read, judged by who made them, and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.review.comments import Place, PlaceKind
from caur_ci.review.forge import ForgeError
from caur_ci.review.github import GitHubForge
from tests.support.forges.model import BEGAN, Fault

if TYPE_CHECKING:
    from caur_ci.review.forge import Account
    from tests.caur_ci.review.forges import ForgeUnderTest


def texts(there: ForgeUnderTest, time: int = 0) -> list[str]:
    return [it.text for it in there.client.comments_since(time).found]


def account(there: ForgeUnderTest, name: str) -> Account:
    there.forge.remark(name, "x")
    return there.client.comments_since(0).found[-1].account


def test_all_since_a_time_are_read_whatever_their_number(there: ForgeUnderTest) -> None:
    there.forge.person("alice")
    assert there.client.latest_comment() == 0
    assert texts(there) == []
    for number in range(7):
        there.forge.remark("alice", str(number), kind="request" if number % 2 else "issue")
    there.forge.page_size = 3

    assert texts(there) == list("0123456")
    assert texts(there, there.forge.remarks[3].time) == list("456")
    assert there.client.latest_comment() == there.forge.now


def test_what_a_comment_is(there: ForgeUnderTest) -> None:
    alice = there.forge.person("alice")
    there.forge.remark("alice", "/caur why a", kind="request", number=5)

    (found,) = there.client.comments_since(BEGAN).found

    assert (found.id, found.text, found.time) == (1, "/caur why a", there.forge.now)
    assert found.place == Place(PlaceKind.REQUEST, 5)
    assert (found.account.id, found.account.name) == (alice.id, "alice")
    page = {
        "gitlab": "https://gitlab.example.org/g/p/-/merge_requests/5#note_1",
        "github": "https://github.example.org/owner/name/pull/5#issuecomment-1",
    }
    assert found.url == page[there.kind]


def test_an_older_one_that_is_edited_is_not_new(there: ForgeUnderTest) -> None:
    there.forge.person("alice")
    older = there.forge.remark("alice", "fine")
    since = there.forge.now
    there.forge.edit(older, "/caur hold a")

    assert texts(there, since) == []


def test_the_forges_own_notes_and_those_elsewhere_are_left_out(there: ForgeUnderTest) -> None:
    there.forge.person("alice")
    there.forge.remark("alice", "changed the title", is_system=True)
    if there.kind == "gitlab":
        there.forge.remark("alice", "on a commit", kind="Commit")
    there.forge.remark("alice", "here")

    assert texts(there) == ["here"]


def test_those_of_accounts_that_are_gone_are_left_out(there: ForgeUnderTest) -> None:
    there.forge.remark("gone", "/caur hold a")

    assert texts(there) == []
    assert there.client.latest_comment() == there.forge.now


def test_too_many_are_not_all_read(there: ForgeUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    there.forge.person("alice")
    for number in range(4):
        there.forge.remark("alice", str(number))
    for module in ("gitlab", "github"):
        monkeypatch.setattr(f"caur_ci.review.{module}.MOST_READ", 3)

    read = there.client.comments_since(0)

    assert [it.text for it in read.found] == list("123")
    assert not read.is_complete
    assert there.client.comments_since(there.forge.remarks[0].time).is_complete


@pytest.mark.parametrize(("level", "may"), [(0, False), (20, False), (30, True), (50, True)])
def test_who_may_push_may_command(there: ForgeUnderTest, level: int, *, may: bool) -> None:
    there.forge.person("alice", level)

    assert (there.client.why_not_obeyed(account(there, "alice")) == "") is may


def test_bots_and_the_tokens_own_account_are_not_obeyed(there: ForgeUnderTest) -> None:
    there.forge.person("helper", is_bot=True)
    there.forge.person("carol")
    there.forge.owner = "carol"

    assert there.client.why_not_obeyed(account(there, "helper")) == "it is a bot"
    assert there.client.why_not_obeyed(account(there, "carol")) == "the token is its own"


def test_an_account_of_a_gitlab_token_is_a_bot(there: ForgeUnderTest) -> None:
    there.forge.person("project_7_bot_1a2b", is_bot=True)
    assert there.client.why_not_obeyed(account(there, "project_7_bot_1a2b")) == "it is a bot"


def test_githubs_tokens_of_pipelines_have_no_account(there: ForgeUnderTest) -> None:
    there.forge.person("alice")
    who = account(there, "alice")
    there.forge.faults.append(Fault(403, where="/user"))
    if isinstance(there.client, GitHubForge):
        assert there.client.why_not_obeyed(who) == ""
    else:
        with pytest.raises(ForgeError, match="cannot be looked up"):
            there.client.why_not_obeyed(who)


def test_answers_are_where_they_belong(there: ForgeUnderTest) -> None:
    there.client.answer(Place(PlaceKind.ISSUE, 3), "done")
    there.client.answer(Place(PlaceKind.ISSUE, 3, internally=there.kind == "gitlab"), "secret")

    assert there.forge.answers(3) == ["done", "secret"]
    kept = [it.is_internal for it in there.forge.remarks]
    assert kept == [False, there.kind == "gitlab"]


def test_an_internal_note_is_known_as_such(there: ForgeUnderTest) -> None:
    there.forge.person("alice")
    there.forge.remark("alice", "x", is_internal=True)

    (found,) = there.client.comments_since(0).found

    assert found.place.internally is (there.kind == "gitlab")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_an_error(there: ForgeUnderTest, status: int) -> None:
    there.forge.faults.append(Fault(status))
    with pytest.raises(ForgeError, match="comments cannot be listed"):
        there.client.comments_since(0)
