"""GitHub's answers, when they are not what was expected; what is right is in test_finding."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from caur_ci.update.vcs.entries import Place
from caur_ci.update.vcs.github import GitHub, batches, repository_of
from caur_ci.update.vcs.tip import TipError, TipTrouble
from caur_ci.web import WebError, WebResponse

if TYPE_CHECKING:
    from caur_ci.web import WebPool

HERE = Place("git", "https://github.com/o/r")
COMMIT = "a" * 40


class Says:
    """In place of the network."""

    def __init__(self, content: bytes | Exception, status: int = 200) -> None:
        self.content = content
        self.status = status

    def send(self, *_: object, **__: object) -> WebResponse:
        if isinstance(self.content, Exception):
            raise self.content
        return WebResponse(self.status, {}, self.content)


def asked(content: bytes | Exception, status: int = 200) -> dict[Place, Any]:
    web = cast("WebPool", Says(content, status))
    return dict(GitHub(web, "token").tips((HERE,)))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 200),
        (b"<html>", 200),
        (b"[]", 200),
        (b'{"data":null,"errors":[{"type":"RATE_LIMITED"}]}', 200),
        (b'{"message":"Bad credentials"}', 401),
        (b"[" * 100_000, 200),
        (WebError("no connection"), 0),
    ],
)
def test_no_answer_at_all(content: bytes | Exception, status: int) -> None:
    with pytest.raises(TipError) as caught:
        asked(content, status)

    assert caught.value.problem.trouble is TipTrouble.UNREACHABLE
    assert "token" not in caught.value.problem.reason


@pytest.mark.parametrize(
    "repository",
    [
        None,
        1,
        {},
        {"head": 1},
        {"head": {"name": "main"}},
        {"head": {"name": "main", "target": None}},
        {"head": {"name": "main", "target": {"oid": 5}}},
        {"head": {"name": "main", "target": {"oid": "zz"}}},
        {"head": {"name": 5, "target": {"oid": COMMIT}}},
        {"head": {"name": "main", "target": {"oid": COMMIT, "history": None}}},
    ],
)
def test_what_makes_no_sense_is_asked_elsewhere(repository: object) -> None:
    assert asked(json.dumps({"data": {"r0": repository}}).encode()) == {}


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://github.com/o/r", ("o", "r")),
        ("https://github.com/o/r.git", ("o", "r")),
        ("http://www.github.com/o/r.x/", ("o", "r.x")),
        ("https://github.com/o", None),
        ("https://github.com/o/r/tree", None),
        ("https://me:pw@github.com/o/r", None),
        ("https://github.com:8443/o/r", None),
        ("https://github.com.example.org/o/r", None),
        ("ssh://git@github.com/o/r", None),
        ('https://github.com/o/r"){x}', None),
        ("https://github.com/-o/r", None),
    ],
)
def test_which_places_are_there(url: str, repository: tuple[str, str] | None) -> None:
    assert repository_of(Place("git", url)) == repository
    assert repository_of(Place("svn", url)) is None
    assert bool(batches([Place("git", url)])) is (repository is not None)
