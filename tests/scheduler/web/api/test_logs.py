"""Logs by offset, by range, as text that grows and as events: every byte once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from scheduler.history import BuildLogs, LogArchiver
from scheduler.job import Outcome
from scheduler.settings import WebSettings
from scheduler.web.server import running_server
from scheduler.web.streaming import log_streams
from tests.scheduler.web.support import building, built_log, sent_events
from tests.support.queue import Background

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from scheduler.history import History
    from scheduler.logs import LogStore
    from scheduler.queue import Claim, Queue
    from scheduler.web.services import WebServices

LOG = b"first line\r\n\x1b[31mred\x1b[0m \xe2\x82\xac broken \xff\xfe\r\n" + b"x" * 100


def path(claim: Claim, rest: str = "") -> str:
    return f"/api/v1/logs/{claim.job_id}/{claim.attempt}{rest}"


@pytest.fixture
def claim(queue: Queue, log_store: LogStore) -> Claim:
    return built_log(queue, log_store, LOG)


def test_the_whole_log(client: TestClient, claim: Claim) -> None:
    answer = client.get(path(claim))

    assert answer.content == LOG
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-log-size"] == str(len(LOG))
    assert answer.headers["x-log-ended"] == "true"
    assert answer.headers["accept-ranges"] == "bytes"


def test_parts_by_offset_make_the_log(client: TestClient, claim: Claim) -> None:
    offset, parts = 0, []
    while offset < len(LOG):
        answer = client.get(path(claim, f"?offset={offset}&limit=7"))
        parts.append(answer.content)
        offset = int(answer.headers["x-log-next-offset"])

    assert b"".join(parts) == LOG
    assert {len(part) for part in parts[:-1]} == {7}


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=5-", 5, len(LOG)),
        ("bytes=-9", len(LOG) - 9, len(LOG)),
        ("bytes=-100000", 0, len(LOG)),
        ("bytes=10-100000", 10, len(LOG)),
    ],
)
def test_a_range(client: TestClient, claim: Claim, asked: str, first: int, end: int) -> None:
    answer = client.get(path(claim), headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == LOG[first:end]
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{len(LOG)}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "x"])
def test_a_range_that_makes_no_sense_is_left_aside(
    client: TestClient, claim: Claim, asked: str
) -> None:
    answer = client.get(path(claim), headers={"Range": asked})

    assert (answer.status_code, answer.content) == (200, LOG)


@pytest.mark.parametrize("rest", ["", "/events"])
def test_beyond_the_end_is_nothing(client: TestClient, claim: Claim, rest: str) -> None:
    answer = client.get(path(claim, f"{rest}?offset={len(LOG) + 1}"))

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(LOG)}"
    assert f"the log has {len(LOG)} bytes" in answer.json()["error"]


def test_a_range_beyond_the_end_is_told(client: TestClient, claim: Claim) -> None:
    answer = client.get(path(claim), headers={"Range": f"bytes={len(LOG)}-"})

    assert answer.status_code == 416


def test_a_head_tells_how_much_there_is(client: TestClient, claim: Claim) -> None:
    for rest in ("", "?follow=true", "/events"):
        answer = client.head(path(claim, rest))
        assert (answer.status_code, answer.content) == (200, b"")
    assert client.head(path(claim)).headers["content-length"] == str(len(LOG))


@pytest.mark.parametrize(
    "place", ["9999/1", "1/9999", "1/0"], ids=["no such job", "no such attempt", "none"]
)
def test_a_log_that_is_not_there(client: TestClient, claim: Claim, place: str) -> None:
    answer = client.get(f"/api/v1/logs/{place}")

    assert answer.status_code == 404
    assert "there is no log of attempt" in answer.json()["error"]


@pytest.mark.parametrize(
    "place", ["x/1", "1/x", "1/-1", "1.5/1", "1/1?offset=-1", "1/1?offset=x", "1/1?limit=0"]
)
def test_what_is_no_number_is_told(client: TestClient, claim: Claim, place: str) -> None:
    answer = client.get(f"/api/v1/logs/{place}")

    assert answer.status_code == 400
    assert "does not fit" in answer.json()["error"]
    assert "whole number" in answer.json()["hint"]


def test_text_goes_on_while_the_log_grows(
    web: httpx.Client, queue: Queue, log_store: LogStore
) -> None:
    claim = building(queue, log_store)
    log_store.append(claim.job_id, claim.attempt, b"begin\n")
    with web.stream("GET", path(claim, "?follow=true")) as answer:
        parts = answer.iter_bytes()
        assert next(parts) == b"begin\n"
        log_store.append(claim.job_id, claim.attempt, b"more\n")
        assert next(parts) == b"more\n"
        log_store.finish(claim.job_id, claim.attempt)
        assert list(parts) == []


def test_when_nothing_comes_something_is_sent_that_nobody_sees(
    web: httpx.Client, queue: Queue, log_store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_streams, "_SAID_EVERY", 0.05)
    claim = building(queue, log_store)
    log_store.append(claim.job_id, claim.attempt, b"begin\n")
    with web.stream("GET", path(claim, "?follow=true")) as answer:
        parts = answer.iter_bytes()
        assert next(parts) == b"begin\n"
        assert next(parts).startswith(b"\x1b\\")


def test_events_say_where_to_go_on(web: httpx.Client, claim: Claim) -> None:
    with web.stream("GET", path(claim, "/events")) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        *parts, end = sent_events(answer.iter_lines())

    assert "".join(str(part.data["text"]) for part in parts) == LOG.decode(errors="replace")
    assert (end.kind, end.id, end.data) == ("end", str(len(LOG)), {"offset": len(LOG)})


def test_a_reader_that_comes_back_gets_what_it_has_not(
    web: httpx.Client, queue: Queue, log_store: LogStore
) -> None:
    claim = building(queue, log_store)
    log_store.append(claim.job_id, claim.attempt, "früh\n".encode())
    with web.stream("GET", path(claim, "/events")) as answer:
        first = next(sent_events(answer.iter_lines()))
    log_store.append(claim.job_id, claim.attempt, "spät\n".encode())
    log_store.finish(claim.job_id, claim.attempt)

    headers = {"Last-Event-ID": first.id}
    with web.stream("GET", path(claim, "/events?offset=0"), headers=headers) as answer:
        later, _ = sent_events(answer.iter_lines())

    assert (first.data["text"], later.data["text"]) == ("früh\n", "spät\n")
    assert later.data["offset"] == int(first.id)


def test_characters_are_not_torn(web: httpx.Client, queue: Queue, log_store: LogStore) -> None:
    claim = building(queue, log_store)
    euro = "€".encode()
    log_store.append(claim.job_id, claim.attempt, b"a" + euro[:1])
    with web.stream("GET", path(claim, "/events")) as answer:
        events = sent_events(answer.iter_lines())
        assert next(events).data["text"] == "a"
        log_store.append(claim.job_id, claim.attempt, euro[1:])
        assert next(events).data["text"] == "€"
        log_store.append(claim.job_id, claim.attempt, euro[:2])
        log_store.finish(claim.job_id, claim.attempt)
        assert [event.data.get("text") for event in events] == ["\ufffd", None]


def test_the_log_of_a_worker_that_died_ends_with_its_job(
    web: httpx.Client, queue: Queue, log_store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.web.streaming.live_logs._SILENCE", 0.1)
    claim = building(queue, log_store)
    log_store.append(claim.job_id, claim.attempt, b"begin\n")
    reading = Background(lambda: web.get(path(claim, "?follow=true")).content)
    assert not reading.ends(within=0.5)

    queue.cancel([claim.job_id])
    queue.finish(claim, Outcome.CANCELED)

    assert reading.result() == b"begin\n"


def test_readers_at_any_place_get_the_same_bytes(
    web: httpx.Client, queue: Queue, log_store: LogStore
) -> None:
    """Ten readers who join at different times and places, while the log is being written."""
    claim = building(queue, log_store)
    parts = [f"line {number} ".encode() + b"\xff" * 5000 + b"\n" for number in range(100)]
    whole = b"".join(parts)

    def read(offset: int) -> bytes:
        return web.get(path(claim, f"?follow=true&offset={offset}")).content

    readers = []
    written = 0
    for number, part in enumerate(parts):
        log_store.append(claim.job_id, claim.attempt, part)
        written += len(part)
        if number % 10 == 0:
            readers.append((written // 2, Background(lambda at=written // 2: read(at))))  # type: ignore[misc]
    log_store.finish(claim.job_id, claim.attempt)

    for offset, reader in readers:
        assert reader.result() == whole[offset:]


def test_a_reader_does_not_notice_that_a_log_moves_to_the_disk(
    services: WebServices,
    queue: Queue,
    log_store: LogStore,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of it comes from Redis, the rest after it was dropped there."""
    monkeypatch.setattr("scheduler.web.streaming.live_logs._KEPT", 1)
    claim = built_log(queue, log_store, LOG * 5000)
    past = replace(services, logs=BuildLogs(log_store, history), history=history)
    with (
        running_server(past, WebSettings(port=0, log_requests=False)) as server,
        httpx.stream("GET", f"{server.address}{path(claim, '?follow=true')}") as answer,
    ):
        parts = answer.iter_bytes(1000)
        first = next(parts)
        LogArchiver(queue, log_store, history).look()
        assert log_store.drop(claim.job_id, claim.attempt, len(LOG) * 5000)
        rest = b"".join(parts)

        assert first + rest == LOG * 5000
        again = httpx.get(f"{server.address}{path(claim, '?offset=7&limit=20')}")
        assert again.content == (LOG * 2)[7:27]
