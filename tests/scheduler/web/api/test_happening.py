"""The queue's events as they come: none lost, none twice, in both forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.job import Outcome
from scheduler.web.api.happening import log_line
from tests.scheduler.web.support import sent_events
from tests.support.queue import claimed, job, submit

if TYPE_CHECKING:
    import httpx
    from starlette.testclient import TestClient

    from scheduler.queue import Queue

FROM_THE_START = "?after=0-0"


def test_events_come_as_they_happen(web: httpx.Client, queue: Queue) -> None:
    submit(queue, job("early"))
    with web.stream("GET", f"/api/v1/events{FROM_THE_START}") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = sent_events(answer.iter_lines())
        first = next(events)
        submit(queue, job("late"))
        second = next(events)

    assert [(each.data["kind"], each.data["identity"]) for each in (first, second)] == [
        *(("submitted", "repo/x86_64/early"), ("submitted", "repo/x86_64/late"))
    ]
    assert first.data["id"] == first.id


def test_from_now_on_without_a_place(web: httpx.Client, queue: Queue) -> None:
    submit(queue, job("early"))
    with web.stream("GET", "/api/v1/events") as answer:
        submit(queue, job("late"))
        event = next(sent_events(answer.iter_lines()))

    assert event.data["identity"] == "repo/x86_64/late"


def test_who_comes_back_gets_the_rest(web: httpx.Client, queue: Queue) -> None:
    submit(queue, *(job(f"p{number}") for number in range(450)))
    path, seen = f"/api/v1/events{FROM_THE_START}", []
    headers: dict[str, str] = {}
    for _ in range(3):
        with web.stream("GET", path, headers=headers) as answer:
            events = sent_events(answer.iter_lines())
            some = [next(events) for _ in range(150)]
        seen += [str(each.data["identity"]) for each in some]
        headers = {"Last-Event-ID": some[-1].id}

    assert sorted(seen) == sorted(f"repo/x86_64/p{number}" for number in range(450))


def test_lines_of_the_existing_managers_log(web: httpx.Client, queue: Queue) -> None:
    submit(queue, job("a"))
    queue.finish(claimed(queue), Outcome.FAILED, reason="it broke")
    with web.stream("GET", f"/api/manager/logs{FROM_THE_START}") as answer:
        events = sent_events(answer.iter_lines())
        lines = [next(events) for _ in range(3)]

    assert all(set(line.data) == {"level", "mod", "msg", "seq", "ts"} for line in lines)
    assert lines[0].data["msg"] == "submitted repo/x86_64/a (job 1)"
    assert lines[-1].data["level"] == "error"
    assert str(lines[-1].data["msg"]).startswith("done repo/x86_64/a (job 1) FAILED")
    numbers = [int(str(line.data["seq"])) for line in lines]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < 2**53


def test_levels(queue: Queue) -> None:
    submit(queue, job("a"))
    queue.cancel(["repo/x86_64/a"])

    assert [log_line(event)["level"] for event in queue.events()] == ["info", "info"]


@pytest.mark.parametrize("after", ["x", "1-", "-1", "1-2-3", "$", "9" * 17, "0x1"])
def test_a_place_that_is_none_is_told(client: TestClient, after: str) -> None:
    for path in ("/api/v1/events", "/api/manager/logs"):
        assert client.get(f"{path}?after={after}").status_code == 400
        answer = client.get(path, headers={"Last-Event-ID": after})
        assert answer.status_code == 400
        assert "is no id of an event" in answer.json()["error"]
