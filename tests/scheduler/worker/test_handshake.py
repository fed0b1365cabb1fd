"""Whether deliveries would be published is known before a job is taken."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import CaurError
from scheduler.database.greeter import Greeter
from scheduler.landing import LandingZone
from scheduler.landing.greeting import Greeting
from scheduler.presence import WELCOME, Presence
from scheduler.worker.handshake import Handshake, NotWelcomeError
from scheduler.workerkeys import AllowedWorkers, WorkerKey
from tests.support.deliveries import allow
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis


class Site:
    """A worker and database runners, each with a landing zone."""

    def __init__(self, folder: Path, redis: Redis) -> None:
        need_tools("ssh-keygen")
        self.folder = folder
        self.presence = Presence(redis)
        self.landing = LandingZone(folder / "landing")
        self.landing.check()
        self.key = WorkerKey.ensure(folder / "key")
        self.allowed = AllowedWorkers(folder / "allowed")
        self.allowed.path.touch()
        self.handshake = Handshake(self.landing, self.key, "w1", self.presence)

    def allow(self) -> None:
        allow(self.allowed.path, self.key, "w1")

    def run(self, name: str = "runner", landing: Path | None = None) -> None:
        """Let a runner look for greetings, some time after they were sent."""
        self.handshake._greeted_at -= 1
        Greeter(landing or self.landing.folder, self.allowed, self.presence, name).do()


@pytest.fixture
def site(tmp_path: Path, redis: Redis) -> Site:
    return Site(tmp_path, redis)


def test_a_worker_whose_key_is_known_is_welcome(site: Site) -> None:
    site.allow()
    site.handshake.check()
    site.run()
    site.handshake.check()
    site.handshake.wait(1000, threading.Event())  # it is known: there is nothing to wait for
    assert list(site.landing.folder.iterdir()) == []


def test_a_worker_whose_key_is_not_allowed_is_told_and_welcome_once_it_is(site: Site) -> None:
    site.handshake.check()
    site.run()
    with pytest.raises(NotWelcomeError, match=r"would refuse .* not signed by a key") as caught:
        site.handshake.check()
    assert "--print-key" in caught.value.hint
    with pytest.raises(NotWelcomeError):  # without another greeting
        site.handshake.check()
    assert list(site.landing.folder.iterdir()) == []

    site.allow()
    site.handshake._refused_until = 0.0
    site.handshake.check()
    site.run()
    site.handshake.check()


def test_a_landing_zone_that_no_runner_looks_into_is_told(site: Site, tmp_path: Path) -> None:
    site.allow()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    site.handshake.check()
    site.run(landing=elsewhere)
    with pytest.raises(NotWelcomeError, match="does not see") as caught:
        site.handshake.check()
    assert "LANDING_ZONE_PATH" in caught.value.hint

    site.run()
    site.handshake.check()


def test_one_of_several_runners_is_enough(site: Site, tmp_path: Path) -> None:
    site.allow()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    site.handshake.check()
    site.run("one", landing=elsewhere)
    site.run("other")
    site.handshake.check()


def test_a_runner_that_has_welcomed_a_worker_may_be_busy_later(site: Site, tmp_path: Path) -> None:
    site.allow()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    site.handshake.check()
    site.run("ours")
    site.handshake.check()
    site.handshake._good_until = 1.0  # an hour later
    site.handshake.check()
    site.run("other", landing=elsewhere)
    site.handshake.check()


def test_where_no_runner_is_heard_of_nobody_knows(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.handshake.wait(1000, threading.Event())  # there is nobody to wait for
    site.run()  # a look from before the greeting says nothing
    site.handshake.check()
    site.handshake.wait(0.01, threading.Event())
    assert "no database runner has answered yet" in caplog.text
    site.handshake.check()


def test_the_answer_that_was_waited_for_is_told(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    site.allow()
    site.handshake.wait(0.0, threading.Event())
    site.handshake.check()
    site.run()
    site.handshake.check()
    assert caplog.messages[-1] == "a database runner has answered"


def test_a_landing_zone_out_of_reach_is_told(site: Site) -> None:
    site.landing.folder.rmdir()
    site.landing.folder.write_text("not a folder")
    with pytest.raises(OSError, match="landing"):
        site.handshake.check()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]\n", b'{"greeting": 1, "worker": "../x"}\nx', b"[" * 5000, b"\xff\n" * 9],
)
def test_strange_greetings_are_answered_and_removed(site: Site, content: bytes) -> None:
    site.allow()
    number = "0" * 32
    (site.landing.folder / f".greeting-{number}").write_bytes(content)
    (site.landing.folder / f".greeting-{'1' * 32}").symlink_to("/etc/passwd")
    os.mkfifo(site.landing.folder / f".greeting-{'2' * 32}")
    site.run()
    assert site.presence.answer_to(number) not in {"", WELCOME}
    assert list(site.landing.folder.iterdir()) == []


def test_a_greeting_of_another_one_is_worth_nothing(site: Site) -> None:
    site.allow()
    greeting = Greeting.sign("w1", site.key)
    (site.landing.folder / f".greeting-{'3' * 32}").write_bytes(greeting.content)
    site.run()
    assert "not its own" in site.presence.answer_to("3" * 32)


def test_without_the_file_of_workers_nobody_is_refused(site: Site) -> None:
    site.allowed.path.unlink()
    site.handshake.check()
    site.run()
    try:
        site.handshake.check()
    except CaurError as error:  # it was seen, but not answered
        pytest.fail(error.message)
