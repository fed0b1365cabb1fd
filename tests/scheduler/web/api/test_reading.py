"""Lists and single things as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scheduler.history import PublishedFile
from scheduler.job import FailureClass, Outcome
from tests.scheduler.web.support import built_log
from tests.support.past import past_job
from tests.support.queue import claimed, job, submit, worker

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from scheduler.history import History
    from scheduler.logs import LogStore
    from scheduler.queue import Queue

FILE = PublishedFile(name="a", version="1-1", filename="a-1-1-any.pkg.tar.zst", size=100)


def pages(client: TestClient, path: str, limit: int) -> list[list[dict[str, Any]]]:
    """Return all pages of a list."""
    found, cursor = [], ""
    mark = "&" if "?" in path else "?"
    while True:
        answer = client.get(f"{path}{mark}limit={limit}{cursor}").raise_for_status().json()
        found.append(answer["items"])
        if answer["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer['next_cursor']}"


def ids(lists: list[list[dict[str, Any]]]) -> list[list[int]]:
    return [[item["job_id"] for item in items] for items in lists]


def test_the_queue(client_of_past: TestClient, queue: Queue, history: History) -> None:
    history.record([past_job(1, "a")])
    submit(queue, job("a"), job("b", "a"))
    claim = claimed(queue)

    answer = client_of_past.get("/api/v1/queue").json()

    assert answer["queue"]["total_active"] == 1
    (active,), (waiting,) = answer["queue"]["active"], answer["queue"]["waiting"]
    assert (active["job_id"], active["identity"], active["state"]) == (
        *(claim.job_id, "repo/x86_64/a"),
        "building",
    )
    assert waiting["reason"] == "waits for repo/x86_64/a (being built)"
    assert answer["queue"]["workers"][0]["name"] == "worker"
    assert answer["forecasts"] == {"repo/x86_64/a": 60.0}


def test_a_job_in_queue_and_logs(client: TestClient, queue: Queue, log_store: LogStore) -> None:
    claim = built_log(queue, log_store, b"text")

    answer = client.get(f"/api/v1/jobs/{claim.job_id}").json()

    assert answer["identity"] == "repo/x86_64/a"
    assert answer["queue"]["state"] == "building"
    assert answer["history"] is None
    (log,) = answer["logs"]
    assert (log["attempt"], log["size"], log["ended"]) == (1, 4, True)


def test_a_job_that_only_the_history_knows(client_of_past: TestClient, history: History) -> None:
    history.record([past_job(7, outcome=Outcome.FAILED, failure=FailureClass.CHECKSUM)])

    answer = client_of_past.get("/api/v1/jobs/7").json()

    assert answer["queue"] is None
    past = answer["history"]
    assert (past["outcome"], past["failure"]) == ("FAILED", "checksum")
    assert (past["identity"], past["build_seconds"]) == ("repo/x86_64/a", 60.0)


def test_a_package(client_of_past: TestClient, queue: Queue, history: History) -> None:
    history.record([past_job(1), past_job(2)])
    submit(queue, job("a"))

    answer = client_of_past.get("/api/v1/packages/repo/x86_64/a").json()

    assert answer["explanation"]["reasons"]
    assert [item["job_id"] for item in answer["latest"]] == [2, 1]
    assert answer["forecast"] == 60.0


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/packages/repo/x86_64/nothing",
        "/api/v1/jobs/12345",
        "/api/v1/history",
        "/api/v1/published",
    ],
)
def test_what_is_not_known(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "hint"}
    assert answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/v1/history", "/api/v1/packages/repo/x86_64/a/history"])
def test_lists_go_on_where_the_page_before_ended(
    client_of_past: TestClient, history: History, path: str
) -> None:
    history.record([past_job(number) for number in range(1, 8)])

    assert ids(pages(client_of_past, path, 3)) == [[7, 6, 5], [4, 3, 2], [1]]
    assert ids(pages(client_of_past, path, 7)) == [[7, 6, 5, 4, 3, 2, 1]]


def test_a_list_of_what_ended_so(client_of_past: TestClient, history: History) -> None:
    outcomes = [Outcome.SUCCESS, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.FAILED]
    history.record(past_job(n, f"p{n}", outcome=each) for n, each in enumerate(outcomes, 1))

    def found(query: str) -> list[list[int]]:
        return ids(pages(client_of_past, f"/api/v1/history?{query}", 10))

    assert found("outcome=FAILED") == [[4, 2]]
    assert found("outcome=FAILED,TIMED_OUT") == [[4, 3, 2]]
    assert found("outcome=FAILED&outcome=SUCCESS") == [[4, 2, 1]]
    assert found("pattern=p[12]") == [[2, 1]]


def test_what_was_published(client_of_past: TestClient, history: History) -> None:
    history.record([past_job(1, files=(FILE,)), past_job(2), past_job(3, files=(FILE,))])

    (items,) = pages(client_of_past, "/api/v1/published", 10)

    assert [item["job_id"] for item in items] == [3, 1]
    assert items[0]["files"] == [
        {"name": "a", "version": "1-1", "filename": FILE.filename, "size": 100}
    ]


def test_failing_is_what_was_not_built_since(client_of_past: TestClient, history: History) -> None:
    failed = {"outcome": Outcome.FAILED}
    history.record(
        [
            *(past_job(1, "mended", **failed), past_job(2, "broken", **failed)),
            *(past_job(3, "mended"), past_job(4, "broken", **failed), past_job(5, "other")),
            past_job(6, "late", outcome=Outcome.TIMED_OUT),
        ]
    )

    assert ids(pages(client_of_past, "/api/v1/failing", 1)) == [[6], [4]]
    assert ids(pages(client_of_past, "/api/v1/failing?pattern=b*", 5)) == [[4]]


def test_logs_of_a_package_with_the_attempts_of_a_job_together(
    client: TestClient, queue: Queue, log_store: LogStore
) -> None:
    for number in range(3):
        claim = built_log(queue, log_store, b"text")
        log_store.start(claim.job_id, 2, claim.identity)
        log_store.append(claim.job_id, 2, b"again")
        queue.finish(claim, Outcome.FAILED)
        assert claim.job_id == number + 1

    found = pages(client, "/api/v1/packages/repo/x86_64/a/logs", 1)

    assert [[(item["job_id"], item["attempt"]) for item in items] for items in found] == [
        *([(3, 2), (3, 1)], [(2, 2), (2, 1)], [(1, 2), (1, 1)])
    ]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=501", "limit=x", "limit=1e3", "limit=", "cursor=x", "cursor=1.5"),
        *("outcome=failed", "outcome=", f"pattern={'x' * 256}", "pattern=%00", "limit=%EF%BC%91"),
    ],
)
def test_queries_that_do_not_fit_are_told(client_of_past: TestClient, query: str) -> None:
    answer = client_of_past.get(f"/api/v1/history?{query}")

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    "path",
    [
        *("..%2F..%2Fetc/x86_64/a", "repo/x86_64/..", "repo/x86_64/.", "repo/x86_64/a%00b"),
        *("repo/x86_64/%3Cscript%3E", "repo/X/a", "-x/x86_64/a", "repo/x86_64/a%20b"),
        *(f"repo/x86_64/{'a' * 256}", "repo/x86_64/%FF", "repo/x86_64/a%0Ab"),
    ],
)
@pytest.mark.parametrize("rest", ["", "/history", "/logs"])
def test_names_that_are_none_are_refused(client_of_past: TestClient, path: str, rest: str) -> None:
    answer = client_of_past.get(f"/api/v1/packages/{path}{rest}")

    assert answer.status_code in {400, 404}
    assert "Traceback" not in answer.text
    assert answer.json()["error"]


def test_workers_that_are_idle_are_there_too(client: TestClient, queue: Queue) -> None:
    queue.claim(worker("idle"))

    (idle,) = client.get("/api/v1/queue").json()["queue"]["workers"]

    assert (idle["name"], idle["build_class"], idle["trouble"]) == ("idle", 2, "")


def test_removals(client: TestClient) -> None:
    assert client.get("/api/v1/removals").json() == {"items": [], "next_cursor": None}


def test_rebuild_groups(client: TestClient, queue: Queue) -> None:
    submit(queue, job("lib", group="moved"), job("app", "lib", group="moved"))

    (group,) = client.get("/api/v1/groups").json()["items"]

    assert (group["name"], group["total"]) == ("repo/x86_64/moved", 2)
    assert {each["identity"] for each in group["unbuilt"]} == {"repo/x86_64/lib", "repo/x86_64/app"}
