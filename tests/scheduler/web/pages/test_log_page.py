"""The page of a log, and what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from scheduler.job import Outcome
from scheduler.web.application import create_app
from scheduler.web.pages import log_page
from tests.support.queue import claimed, job, submit

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.logs import LogStore
    from scheduler.queue import Queue
    from scheduler.settings import WebSettings
    from scheduler.web.services import WebServices

IDENTITY = "repo/x86_64/a"


@pytest.fixture
def long_log(log_store: LogStore) -> str:
    """Write a log of 1,200 lines that goes on."""
    log_store.start(7, 1, IDENTITY)
    data = b"".join(b"line %d <b>\r\n" % number for number in range(1, 1201))
    log_store.append(7, 1, data)
    return "/log/7/1"


def test_the_page_shows_the_end_or_the_line_asked_for(
    bare_pages: TestClient, long_log: str
) -> None:
    end = bare_pages.get(long_log).text
    assert '<div class="line" id="L1200"><a href="#L1200" tabindex="-1">1200</a>' in end
    assert "<span>line 1200 &lt;b&gt;</span>" in end
    assert 'id="L1000"' not in end
    assert "growing" in end

    middle = bare_pages.get(f"{long_log}?line=700").text
    assert 'id="L501"' in middle
    assert 'id="L1000"' in middle
    assert 'id="L1001"' not in middle
    assert "/log/7/1?line=500" in middle  # for those without scripts
    assert "/log/7/1?line=1001" in middle


def test_lines_are_handed_out_in_parts(
    bare_pages: TestClient, long_log: str, log_store: LogStore
) -> None:
    part = bare_pages.get(f"{long_log}/lines?from=1199&count=500").json()
    assert (part["first"], part["count"], part["total"], part["ended"]) == (1199, 2, 1200, False)
    assert part["html"].count('class="line"') == 2

    log_store.append(7, 1, b"more")
    log_store.finish(7, 1)
    standing = bare_pages.get(f"{long_log}/lines?count=0").json()
    assert (standing["total"], standing["ended"], standing["html"]) == (1201, True, "")
    assert bare_pages.get(f"{long_log}/lines?from=99999").json()["count"] == 0


def test_a_log_may_be_waited_for(bare_pages: TestClient, queue: Queue) -> None:
    (job_id,) = submit(queue, job("a")).jobs
    assert bare_pages.get(f"/log/{job_id}/1").status_code == 200
    assert bare_pages.get(f"/log/{job_id}/2").status_code == 404

    claim = claimed(queue)
    page = bare_pages.get(f"/log/{job_id}/{claim.attempt}").text
    assert "The build has written nothing yet." in page
    assert bare_pages.get(f"/log/{job_id}/{claim.attempt}/lines").json()["total"] == 0

    queue.finish(claim, Outcome.FAILED)
    assert bare_pages.get(f"/log/{job_id}/{claim.attempt}").status_code == 404


def test_a_log_that_is_gone_is_told(bare_pages: TestClient, long_log: str, redis: Redis) -> None:
    assert bare_pages.get(long_log).status_code == 200
    redis.flushall()

    assert bare_pages.get(long_log).status_code == 404
    assert bare_pages.get(f"{long_log}/lines").status_code == 404


def test_search(bare_pages: TestClient, long_log: str) -> None:
    found = bare_pages.get(f"{long_log}/search?q=LINE 12").json()
    assert [it["line"] for it in found["matches"]][:4] == [12, 120, 121, 122]
    assert found["matches"][0]["text"] == "line 12 <b>"
    assert found["next"] is None

    first = bare_pages.get(f"{long_log}/search?q=line").json()
    assert (len(first["matches"]), first["next"]) == (200, 201)
    assert bare_pages.get(f"{long_log}/search?q=").status_code == 400
    assert bare_pages.get(f"{long_log}/search?q={'x' * 201}").status_code == 400


def test_too_many_searches_are_asked_to_come_again(
    services: WebServices, settings: WebSettings, long_log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_page, "_SEARCHES_AT_ONCE", 0)
    monkeypatch.setattr(log_page, "_PATIENCE", 0.0)
    with TestClient(create_app(services, settings)) as client:
        answer = client.get(f"{long_log}/search?q=line")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["hint"] == "Try again in a moment."


def test_what_makes_no_sense_is_told(bare_pages: TestClient, long_log: str) -> None:
    for path, status in (
        ("/log/8/1", 404),
        ("/log/7/2", 404),
        ("/log/7/1/lines?from=x", 400),
        ("/log/7/1/lines?from=-1", 400),
        ("/log/0/1", 404),
        ("/log/99999999999999999999999999/1", 404),
        ("/log/7/99999999999999999999999999", 404),
        ("/log/7/1x", 404),
        ("/log/..%2f7/1", 404),
        ("/log/7%00/1", 404),
    ):
        answer = bare_pages.get(path)

        assert answer.status_code == status, path
        assert "Traceback" not in answer.text
