"""What the existing manager answers, in exactly its forms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from scheduler.job import FailureClass, Outcome
from scheduler.settings import WebSettings
from scheduler.web.api.legacy_schemas import METRICS_SCHEMA, PACKAGES_SCHEMA, STATS_SCHEMA
from scheduler.web.application import create_app
from tests.scheduler.web.support import building, built_log
from tests.support.past import past_job
from tests.support.queue import claimed, eventually, job, submit, worker

if TYPE_CHECKING:
    import httpx

    from scheduler.history import History
    from scheduler.logs import LogStore
    from scheduler.queue import Claim, Queue
    from scheduler.web.services import WebServices


def started(store: LogStore, claim: Claim) -> int:
    """Return when a log began, in milliseconds."""
    entry = store.entry(claim.job_id, claim.attempt)
    assert entry is not None
    return int(entry.started * 1000)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/api/queue/stats", STATS_SCHEMA),
        ("/api/queue/metrics", METRICS_SCHEMA),
        ("/api/queue/packages", PACKAGES_SCHEMA),
    ],
)
def test_json_is_sent_as_text_that_is_not_kept(
    client: TestClient, queue: Queue, path: str, schema: dict[str, object]
) -> None:
    submit(queue, job("a"), job("b", build_class="heavy"))
    claimed(queue)

    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["etag"]
    Draft202012Validator(schema).validate(answer.json())


def test_stats(client: TestClient, queue: Queue, log_store: LogStore) -> None:
    submit(queue, job("a"), job("b", "a"), job("c", build_class="heavy"), job("d", build_class="2"))
    claim = claimed(queue, worker("builder-1", 1))
    log_store.start(claim.job_id, claim.attempt, claim.identity)
    log_store.append(claim.job_id, claim.attempt, b"x")
    queue.claim(worker("builder-2", 1))

    stats = client.get("/api/queue/stats").json()

    link = f"/logs.html?timestamp={started(log_store, claim)}&id=repo%2Fx86_64%2Fa"
    assert stats == {
        "active": {
            "count": 1,
            "packages": [
                {"name": "repo/x86_64/a", "node": "builder-1", "build_class": 1, "liveLog": link}
            ],
        },
        "waiting": {
            "count": 3,
            "packages": [
                {"name": "repo/x86_64/c", "build_class": "heavy"},
                {"name": "repo/x86_64/d", "build_class": 2},
                {"name": "repo/x86_64/b", "build_class": 1},
            ],
        },
        "idle": {"count": 1, "nodes": [{"name": "builder-2", "build_class": 1}]},
    }


@pytest.mark.parametrize(
    "settings", [WebSettings(logs_url="https://x.example/logs.html")], ids=["LOGS_URL"]
)
def test_links_go_where_others_find_the_logs(client: TestClient, queue: Queue) -> None:
    submit(queue, job("a"))
    claimed(queue)

    (active,) = client.get("/api/queue/stats").json()["active"]["packages"]

    assert active["liveLog"] == ("https://x.example/logs.html?id=repo%2Fx86_64%2Fa")


def test_packages_go_by_their_names(client: TestClient, queue: Queue) -> None:
    submit(queue, job("a"), job("b", "a"))
    claim = claimed(queue)
    view = queue.job(claim.job_id)
    assert view is not None

    first, second = client.get("/api/queue/packages").json()

    assert first == {
        "a": {
            "arch": "x86_64",
            "build_class": 1,
            "srcrepo": "source",
            "timestamp": int(view.submitted * 1000),
        }
    }
    assert list(second) == ["b"]


def test_metrics_of_the_queue_alone(client: TestClient, queue: Queue) -> None:
    submit(queue, job("a"), job("b"))
    queue.finish(claimed(queue), Outcome.SUCCESS)
    queue.finish(claimed(queue), Outcome.FAILED)

    assert client.get("/api/queue/metrics").json() == {
        "builder_queue": {"completed": 1, "failed": 1},
        "database_queue": {"completed": 1, "failed": 0},
    }


def test_metrics_of_the_past(client_of_past: TestClient, history: History) -> None:
    good, late, skipped = Outcome.SUCCESS, Outcome.TIMED_OUT, Outcome.SKIPPED
    jobs = [past_job(n, outcome=end) for n, end in enumerate((good, good, late, skipped), 1)]
    refused = past_job(5, outcome=Outcome.FAILED, failure=FailureClass.DELIVERY)
    history.record([*jobs, refused])

    assert client_of_past.get("/api/queue/metrics").json() == {
        "builder_queue": {"completed": 3, "failed": 1},
        "database_queue": {"completed": 2, "failed": 1},
    }


class TestLog:
    """The log of a package, by its time."""

    @pytest.mark.parametrize("package", ["a", "repo/x86_64/a", "repo%2Fx86_64%2Fa"])
    @pytest.mark.parametrize("rest", ["", "/default", "/{time}"])
    def test_by_package_and_time(
        self, client: TestClient, queue: Queue, log_store: LogStore, package: str, rest: str
    ) -> None:
        claim = built_log(queue, log_store, b"line\r\n", b"\x1b[1mbold\xff")

        answer = client.get(f"/api/logs/{package}{rest.format(time=started(log_store, claim))}")

        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.content == b"line\r\n\x1b[1mbold\xff"

    def test_the_newest_or_the_one_of_that_time(
        self, client: TestClient, queue: Queue, log_store: LogStore
    ) -> None:
        first = built_log(queue, log_store, b"first")
        queue.finish(first, Outcome.FAILED)
        eventually(lambda: int(queue.snapshot().time * 1000) > started(log_store, first) + 1)
        built_log(queue, log_store, b"second")

        assert client.get("/api/logs/a").content == b"second"
        assert client.get(f"/api/logs/a/{started(log_store, first)}").content == b"first"

    def test_it_grows_for_several_readers_and_one_who_leaves(
        self, web: httpx.Client, queue: Queue, log_store: LogStore
    ) -> None:
        claim = building(queue, log_store)
        log_store.append(claim.job_id, claim.attempt, b"one")
        with web.stream("GET", "/api/logs/a") as stays:
            parts = stays.iter_bytes()
            assert next(parts) == b"one"
            with web.stream("GET", "/api/logs/a") as leaves:
                assert next(leaves.iter_bytes()) == b"one"
            log_store.append(claim.job_id, claim.attempt, b"two")
            assert next(parts) == b"two"
            log_store.finish(claim.job_id, claim.attempt)
            assert list(parts) == []

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("nothing", 404),
            ("a/1", 404),
            ("repo/x86_64/a/1", 404),
            ("other/x86_64/a", 404),
            ("1", 404),
            ("a/yesterday", 400),
            ("a/-1", 400),
            ("a/99999999999999999999", 400),
            ("%2e%2e%2f%2e%2e%2fetc%2fpasswd", 400),
            ("a%00b", 400),
            ("a%2525", 400),
            ("a b/default", 400),
            ("x/y/z/default/more", 400),
            ("", 400),
            ("%FF%FE", 400),
        ],
    )
    def test_what_is_not_there_or_no_name_is_told_as_text(
        self, client: TestClient, queue: Queue, log_store: LogStore, path: str, status: int
    ) -> None:
        built_log(queue, log_store, b"text")

        answer = client.get(f"/api/logs/{path}")

        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text.strip()
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/logs.html", "/logs/logs.html"])
@pytest.mark.parametrize("base_path", ["", "/ci"])
def test_old_links_lead_to_the_page(
    services: WebServices, queue: Queue, log_store: LogStore, path: str, base_path: str
) -> None:
    claim = built_log(queue, log_store, b"text")
    settings = WebSettings(base_path=base_path)
    client = TestClient(create_app(services, settings), follow_redirects=False)

    answer = client.get(path, params={"id": "repo/x86_64/a", "timestamp": "default"})
    by_name = client.get(path, params={"id": "a", "timestamp": str(started(log_store, claim))})

    assert answer.status_code == by_name.status_code == 302
    assert answer.headers["location"] == f"{base_path}/log/{claim.job_id}/{claim.attempt}"
    assert by_name.headers["location"] == answer.headers["location"]


def test_other_origins_are_told_what_the_setting_says(services: WebServices) -> None:
    origin = {"Origin": "https://aur.chaotic.cx"}
    settings = WebSettings(cors=("https://aur.chaotic.cx",))
    allowed = TestClient(create_app(services, settings))
    closed = TestClient(create_app(services, replace(settings, cors=())))

    answer = allowed.get("/api/queue/stats", headers=origin)
    other = allowed.get("/api/queue/stats", headers={"Origin": "https://evil.example"})

    assert answer.headers["access-control-allow-origin"] == "https://aur.chaotic.cx"
    assert "access-control-allow-origin" not in other.headers
    assert (
        "access-control-allow-origin" not in closed.get("/api/queue/stats", headers=origin).headers
    )
