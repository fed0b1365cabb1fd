"""The shapes that calls are checked by, against what the forges publish themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from caur_ci.review.desk import ReviewDesk
from caur_ci.review.request import ReviewRequest
from tests.support.forges.published import FOLDER, check, operation_of, published

if TYPE_CHECKING:
    from tests.caur_ci.review.forges import ForgeUnderTest
    from tests.support.forges.model import Call

# What the published parts do not cover; documented elsewhere.
ELSEWHERE = re.compile(
    r"/(?:labels$|members|protected|users|notes|versions|resource_|events|comments|collaborators"
    r"|requested_reviewers|labels/)"
)

pytestmark = pytest.mark.skipif(not FOLDER, reason="CAUR_FORGE_SCHEMAS is not set")


def test_every_call_is_as_published(there: ForgeUnderTest) -> None:
    document = published(there.kind)
    for call in _all_kinds_of_calls(there):
        operation = operation_of(document, call)
        if operation is None:
            assert ELSEWHERE.search(call.path), call.what
            continue
        check(document, operation, call)


def _all_kinds_of_calls(there: ForgeUnderTest) -> list[Call]:
    for name in ("bob", "carol"):
        there.forge.person(name)
    there.forge.protected = {"main": [{"access_level": 40}]}
    for commit in ("a" * 40, "b" * 40, ""):
        there.forge.branches = {"main": "0" * 40, **({"update-a": commit} if commit else {})}
        there.forge.sync()
        desk = ReviewDesk(there.new_client(), "main")
        desk.hear({"update-a": commit} if commit else {})
        wanted = ReviewRequest(
            package="a",
            branch="update-a",
            target="main",
            commit=commit,
            assignees=("bob",),
            reviewers=("carol",),
        )
        there.forge.closes_without_branch = False
        done = desk.follow_up(
            [wanted] if commit else [], branches=["update-a"] if commit else [], rejected={}
        )
        assert done.problems == []
        if there.forge.open():
            there.forge.say(1, "approved", "bob")
    assert there.forge.open() == []
    return there.forge.calls
