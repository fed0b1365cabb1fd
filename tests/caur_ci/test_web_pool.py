"""Many requests from several threads, with what a server does to one of them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import requests
from requests.adapters import BaseAdapter

from caur_ci.web import WebError, WebPool

if TYPE_CHECKING:
    from requests import PreparedRequest


class Scripted(BaseAdapter):
    """Answers as it is told, in order: a status, or an error."""

    def __init__(self, *steps: int | Exception, body: bytes = b"") -> None:
        super().__init__()
        self.steps = list(steps)
        self.body = body
        self.requests: list[PreparedRequest] = []

    def send(self, request: PreparedRequest, *_: object, **__: object) -> requests.Response:
        self.requests.append(request)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        answer = requests.Response()
        answer.status_code = step
        answer.headers["Location"] = "https://elsewhere.org/"
        answer.headers["Set-Cookie"] = "a=b"
        answer.raw = io.BytesIO(self.body)
        return answer

    def close(self) -> None:
        """Do nothing."""


ABORTED = requests.ConnectionError("('Connection aborted.', RemoteDisconnected())")


def pool(adapter: Scripted) -> WebPool:
    return WebPool(connections=2, agent="git/2", adapter=adapter)


def test_any_status_is_an_answer_and_nothing_is_followed_or_kept() -> None:
    adapter = Scripted(301, 404)
    web = pool(adapter)

    first = web.send("GET", "https://me:pw@h.org/a")
    second = web.send("POST", "https://h.org/b", body=b"x", headers={"X": "y"})

    assert (first.status, second.status) == (301, 404)
    assert first.headers["location"] == "https://elsewhere.org/"
    assert len(adapter.requests) == 2
    assert "Authorization" in adapter.requests[0].headers
    assert not {"Authorization", "Cookie"} & set(adapter.requests[1].headers)
    assert adapter.requests[1].headers["User-Agent"].startswith("git/2 caur-ci/")


def test_a_connection_that_was_closed_meanwhile_is_made_anew_once() -> None:
    assert pool(Scripted(ABORTED, 200)).send("GET", "https://h.org/a").status == 200
    with pytest.raises(WebError, match="no connection"):
        pool(Scripted(ABORTED, ABORTED, 200)).send("GET", "https://h.org/a")


@pytest.mark.parametrize(
    "error", [requests.ReadTimeout("x"), requests.ConnectTimeout("x"), requests.ConnectionError()]
)
def test_nothing_else_is_tried_twice(error: Exception) -> None:
    adapter = Scripted(error, 200)

    with pytest.raises(WebError, match=r"^https://h\.org/a: no "):
        pool(adapter).send("GET", "https://me:pw@h.org/a?secret=1")
    assert len(adapter.requests) == 1


def test_large_answers_are_cut_off() -> None:
    with pytest.raises(WebError, match="larger than 10 bytes"):
        pool(Scripted(200, body=b"x" * 11)).send("GET", "https://h.org/a", largest=10)


@pytest.mark.parametrize("url", ["https://[::1/a", "https:///a", "https://h.org:port/", "x"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(WebError):
        pool(Scripted(200)).send("GET", url)
