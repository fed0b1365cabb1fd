"""What the holder of the token can change, and that everybody sees who did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from caur_ci.errors import InputError
from scheduler.job import JobState, Outcome
from scheduler.settings import WebSettings
from scheduler.web.application import create_app
from tests.scheduler.web.support import TOKEN
from tests.support.queue import COMMIT, claimed, job, submit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler.queue import Queue
    from scheduler.web.services import WebServices

LEGACY = {
    "arch": "x86_64",
    "source_repo": "source",
    "target_repo": "repo",
    "commit": f"{COMMIT}:12345",
    "packages": [
        {"pkgbase": "a", "build_class": 3, "pkgnames": ["a", "a-docs"], "dependencies": ["b>=2"]},
        {"pkgbase": "b"},
    ],
}
REQUEST: dict[str, Any] = {
    "source_repo": "source",
    "target_repo": "repo",
    "commit": COMMIT,
    "packages": [{"pkgbase": "a", "provides": ["liba.so"], "reason": "asked for"}],
}
CHANGES = ("schedule", "promote", "cancel", "retry", "hold", "unhold")


def asked(queue: Queue) -> list[tuple[str, str]]:
    """Return what was written down of wishes: whose job, and what."""
    return [(event.identity, event.reason) for event in queue.events() if event.kind == "asked"]


@dataclass
class Holds:
    """Remembers what was asked of it; `ghost` is a package that does not exist."""

    calls: list[tuple[str, list[str], str, str]] = field(default_factory=list)

    def hold(self, packages: Sequence[str], *, reason: str, who: str) -> Mapping[str, str]:
        if "ghost" in packages:
            raise InputError("there is no package ghost")
        self.calls.append(("hold", list(packages), reason, who))
        return dict.fromkeys(packages, "held")

    def unhold(self, packages: Sequence[str], *, reason: str, who: str) -> Mapping[str, str]:
        self.calls.append(("unhold", list(packages), reason, who))
        return dict.fromkeys(packages, "was held")


class TestLegacySchedule:
    """`POST /api/queue/schedule`, as the existing manager has it."""

    def test_builds_are_queued(self, writer: TestClient, queue: Queue) -> None:
        answer = writer.post("/api/queue/schedule", json=LEGACY)

        assert answer.status_code == 200
        jobs = [queue.spec(job_id) for job_id in answer.json()["jobs"]]
        first, second = [each for each in jobs if each]
        assert (first.pkgbase, first.build_class, first.pkgnames) == ("a", "3", ("a", "a-docs"))
        assert first.depends == ("b",)
        assert (first.commit, first.commit_reference) == (COMMIT, f"{COMMIT}:12345")
        assert (second.pkgbase, second.pkgnames, second.arch) == ("b", ("b",), "x86_64")
        assert asked(queue) == [("", "schedule by the holder of API_TOKEN at testclient: 2 jobs")]

    def test_the_same_again_is_another_request(self, writer: TestClient) -> None:
        first = writer.post("/api/queue/schedule", json=LEGACY).json()
        again = writer.post("/api/queue/schedule", json=LEGACY).json()

        assert first["request_id"] != again["request_id"]
        assert again["replaced"] == first["jobs"]

    def test_what_cannot_be_built_is_refused_alone(self, writer: TestClient) -> None:
        packages = [{"pkgbase": "../a"}, {"pkgbase": "b"}, "c"]

        answer = writer.post("/api/queue/schedule", json={**LEGACY, "packages": packages}).json()

        assert len(answer["jobs"]) == 1
        assert [each["identity"] for each in answer["refused"]] == [
            *("repo/x86_64/../a", "a nameless job")
        ]

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"packages": []}, 400),
            ({"packages": "a"}, 400),
            ({"commit": "HEAD"}, 422),
            ({"commit": ""}, 422),
            ({"arch": "../x"}, 422),
            ({"target_repo": "a/b"}, 422),
            ({"arch_mirror": "file with spaces"}, 422),
        ],
        ids=lambda value: str(value).replace("/", "_"),
    )
    def test_what_makes_no_sense_leaves_the_queue_empty(
        self, writer: TestClient, queue: Queue, change: dict[str, Any], status: int
    ) -> None:
        answer = writer.post("/api/queue/schedule", json={**LEGACY, **change})

        assert answer.status_code == status
        assert queue.snapshot().total_ready == 0
        assert asked(queue) == []


class TestSchedule:
    """`POST /api/v1/schedule`."""

    def test_builds_are_queued_once(self, writer: TestClient, queue: Queue) -> None:
        body = {**REQUEST, "request_id": "request-12345678"}

        first = writer.post("/api/v1/schedule", json=body).json()
        again = writer.post("/api/v1/schedule", json=body).json()

        assert (first["known"], again["known"]) == (False, True)
        spec = queue.spec(first["jobs"][0])
        assert spec is not None
        assert (spec.provides, spec.reason) == (("liba.so",), "asked for")
        assert queue.snapshot().total_ready == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"packages": []},
            {"commit": "main"},
            {"remove": ["a"]},
            {"created": "now"},
            {"whatever": 1},
            {"packages": [{"pkgbase": "a\n"}]},
            {"request_id": "x"},
            {"on_running": "kill"},
        ],
        ids=ascii,
    )
    def test_what_makes_no_sense_is_told(
        self, writer: TestClient, queue: Queue, change: dict[str, Any]
    ) -> None:
        answer = writer.post("/api/v1/schedule", json={**REQUEST, **change})

        assert answer.status_code in {400, 422}
        assert answer.json().get("error") or answer.json()["refused"]
        assert queue.snapshot().total_ready == 0


def test_promote_in_both_forms(writer: TestClient, queue: Queue) -> None:
    first, second, third = submit(queue, job("a"), job("b"), job("c")).jobs

    new = writer.post("/api/v1/promote", json={"packages": ["c"]}).json()
    old = writer.post(
        "/api/queue/promote", json={"pkgbase": "b", "arch": "x86_64", "target_repo": "repo"}
    ).json()

    assert [(each["job_id"], each["done"]) for each in new["changes"]] == [(third, True)]
    assert [(each["job_id"], each["done"]) for each in old["changes"]] == [(second, True)]
    assert [each.job_id for each in queue.snapshot().ready] == [third, second, first]
    assert [identity for identity, _ in asked(queue)] == ["repo/x86_64/c", "repo/x86_64/b"]


def test_cancel_says_who_and_why(writer: TestClient, queue: Queue) -> None:
    (job_id,) = submit(queue, job("a")).jobs

    answer = writer.post("/api/v1/cancel", json={"packages": ["repo/a"], "reason": "not now"})

    assert answer.json()["changes"][0]["done"]
    view = queue.job(job_id)
    assert view is not None
    assert (view.state, view.outcome) == (JobState.DONE, Outcome.CANCELED)
    assert view.reason == "not now (by the holder of API_TOKEN at testclient)"
    assert asked(queue) == [
        ("repo/x86_64/a", "cancel by the holder of API_TOKEN at testclient: not now")
    ]


def test_retry(writer: TestClient, queue: Queue) -> None:
    submit(queue, job("a"))
    queue.finish(claimed(queue), Outcome.FAILED)

    (change,) = writer.post("/api/v1/retry", json={"packages": ["a"]}).json()["changes"]

    view = queue.job(change["job_id"])
    assert view is not None
    assert view.state is JobState.READY


def test_some_of_several(writer: TestClient, queue: Queue) -> None:
    submit(queue, job("a"))

    answer = writer.post("/api/v1/cancel", json={"packages": ["a", "nothing", "../x", "a"]})

    assert answer.status_code == 200
    assert [(each["target"], each["done"]) for each in answer.json()["changes"]] == [
        *(("repo/x86_64/a", True), ("nothing", False), ("../x", False))
    ]


def test_none_of_several(writer: TestClient, queue: Queue) -> None:
    answer = writer.post("/api/v1/retry", json={"packages": ["nothing"]})

    assert answer.status_code == 409
    assert "knows no job or package" in answer.json()["changes"][0]["reason"]
    assert asked(queue) == []


def test_holds_are_handed_through(services: WebServices, queue: Queue) -> None:
    holds = Holds()
    app = create_app(replace(services, holds=holds), WebSettings(token=TOKEN, log_requests=False))
    client = TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"})

    held = client.post("/api/v1/hold", json={"packages": ["a", "b"], "reason": "broken"})
    let_go = client.post("/api/v1/unhold", json={"packages": ["a"]})
    unknown = client.post("/api/v1/hold", json={"packages": ["ghost"]})

    assert held.json() == {"packages": {"a": "held", "b": "held"}}
    assert let_go.json() == {"packages": {"a": "was held"}}
    assert (unknown.status_code, unknown.json()["error"]) == (400, "there is no package ghost")
    who = "the holder of API_TOKEN at testclient"
    assert holds.calls == [("hold", ["a", "b"], "broken", who), ("unhold", ["a"], "", who)]
    assert [reason for _, reason in asked(queue)] == [
        *(f"hold by {who}: broken", f"hold by {who}: broken", f"unhold by {who}")
    ]


def test_without_a_repository_nothing_can_be_held(writer: TestClient) -> None:
    answer = writer.post("/api/v1/hold", json={"packages": ["a"]})

    assert answer.status_code == 403
    assert "caur-ci hold PACKAGE" in answer.json()["hint"]


@pytest.mark.parametrize("name", CHANGES)
def test_without_a_token_nothing_can_be_changed(
    client: TestClient, services: WebServices, name: str
) -> None:
    body = {"packages": ["a"]}
    closed = client.post(f"/api/v1/{name}", json=body, headers={"Authorization": "Bearer "})
    open_ = TestClient(create_app(services, WebSettings(token=TOKEN)))
    answers = [
        open_.post(f"/api/v1/{name}", json=body, headers=headers)
        for headers in (
            {},
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": TOKEN},
        )
    ]

    assert closed.status_code == 403
    assert [answer.status_code for answer in answers] == [401] * 4
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert not any(TOKEN in answer.text for answer in answers)


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"packages": []}, {"packages": "a"}, {"packages": [1]}, {"packages": ["a"] * 1001}),
        *({"packages": ["a"], "reason": "x" * 501}, {"packages": ["a"], "reason": "a\nb"}),
        {"packages": ["a"], "reason": 1},
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_wishes_that_cannot_be_read(writer: TestClient, body: dict[str, Any]) -> None:
    answer = writer.post("/api/v1/cancel", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"packages": ["\\ud800"]}', "application/json", 400),
        (b"packages=a", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b" " * (8 * 1024 * 1024 + 1), "application/json", 413),
    ],
    ids=["cut off", "list", "NaN", "no UTF-8", "deep", "surrogate", "form", "text", "large"],
)
def test_bodies_that_are_no_json(
    writer: TestClient, content: bytes, kind: str, status: int
) -> None:
    answer = writer.post("/api/v1/cancel", content=content, headers={"Content-Type": kind})

    assert answer.status_code == status
    assert answer.json()["error"]
    assert answer.json()["hint"]


def test_a_change_is_not_made_by_looking(writer: TestClient) -> None:
    for name in CHANGES:
        assert writer.get(f"/api/v1/{name}").status_code == 405
