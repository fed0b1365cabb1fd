"""Who tries tokens out is slowed down, and nobody can make the table of addresses large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from scheduler.settings import WebSettings
from scheduler.web import permission
from scheduler.web.application import create_app
from scheduler.web.permission import RateLimit
from tests.scheduler.web.support import TOKEN

if TYPE_CHECKING:
    from scheduler.web.services import WebServices


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(permission, "time", clock)
    return clock


def test_so_many_and_then_one_after_the_other(clock: Clock) -> None:
    limit = RateLimit(3, 60.0)
    for _ in range(3):
        assert limit.wait("a") == 0.0
        limit.count("a")

    assert limit.wait("a") == pytest.approx(20.0)
    assert limit.wait("b") == 0.0
    clock.now += 20.5
    assert limit.wait("a") == 0.0
    limit.count("a")
    assert limit.wait("a") > 0.0
    clock.now += 3600
    limit.count("a")
    assert limit.wait("a") == 0.0


def test_those_seen_last_are_remembered(clock: Clock) -> None:
    limit = RateLimit(1, 60.0, kept=10)
    for number in range(100):
        limit.count(f"address {number}")

    assert len(limit._left) == 10
    assert limit.wait("address 99") > 0
    assert limit.wait("address 0") == 0


def client_at(services: WebServices, address: str) -> TestClient:
    app = create_app(services, WebSettings(token=TOKEN, log_requests=False))
    return TestClient(app, client=(address, 1))


def ask(client: TestClient, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post("/api/v1/retry", json={"packages": ["a"]}, headers=headers)
    return int(answer.status_code)


def test_who_tries_tokens_out_has_to_wait(services: WebServices, clock: Clock) -> None:
    app = create_app(services, WebSettings(token=TOKEN, log_requests=False))
    guesser = TestClient(app, client=("2001:db8::1", 1))
    neighbour = TestClient(app, client=("2001:db8::2", 1))
    other = TestClient(app, client=("192.0.2.1", 1))

    assert {ask(guesser, f"wrong-{number}") for number in range(10)} == {401}

    # Not even the right one is looked at, and a network is as one address.
    assert [ask(guesser, TOKEN), ask(neighbour, TOKEN)] == [429, 429]
    assert ask(other, TOKEN) == 409
    clock.now += 61
    assert ask(guesser, TOKEN) == 409


def test_changes_are_limited_too(services: WebServices, clock: Clock) -> None:
    client = client_at(services, "192.0.2.1")

    statuses = [ask(client, TOKEN) for _ in range(121)]

    assert statuses == [409] * 120 + [429]
