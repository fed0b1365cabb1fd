"""`caur-ci notify`, and what `caur-ci database` tells others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from apprise.plugins.telegram import NotifyTelegram

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.cli.telling import telling
from caur_ci.environment import SECRET_NAMES, Secrets
from caur_ci.errors import ConfigError, ExitCode
from scheduler.job import Outcome
from scheduler.metrics import Tallies
from scheduler.notifications import sending
from scheduler.notifications.model import Note, entry_key
from scheduler.outbox import Outbox, Patience
from scheduler.outbox import sending as dispatching
from scheduler.settings import Told
from tests.support.forges.model import Forge
from tests.support.forges.server import TOKEN as FORGE_TOKEN
from tests.support.forges.server import serving
from tests.support.forges.statuses import GitLabStatusApi
from tests.support.queue import claimed, eventually, job, submit
from tests.support.telegram import CHAT, TOKEN, Telegram, serving_telegram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from scheduler.queue import Queue


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telegram]:
    with serving_telegram() as telegram:
        monkeypatch.setattr(NotifyTelegram, "notify_url", telegram.url)
        monkeypatch.setattr(NotifyTelegram, "request_rate_per_sec", 0)
        yield telegram


def notify(*arguments: str, **secrets: str) -> int:
    return run(["notify", *arguments], Session(secrets=Secrets(secrets)))


def test_a_test_reaches_every_target(
    telegram: Telegram, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TELEGRAM_CHAT_ID", CHAT)

    code = notify("--test", TELEGRAM_BOT_TOKEN=TOKEN, NOTIFY_URLS=f"tgram://{TOKEN}/{CHAT}")

    assert code == ExitCode.OK
    assert len(telegram.shown) == 2
    assert telegram.shown[0].bold == ("🔔 A test of caur-ci",)
    assert capsys.readouterr().out.splitlines() == [
        "telegram (Telegram) has taken it",
        "url-1 (Telegram) has taken it",
    ]


def test_who_did_not_take_it_is_told(
    telegram: Telegram, capsys: pytest.CaptureFixture[str]
) -> None:
    targets = {
        "chat": {"url": f"tgram://{TOKEN}/{CHAT}"},
        "other": {"url": f"tgram://{TOKEN}/-123"},
    }

    code = notify("--test", "--json", NOTIFY_TARGETS=json.dumps(targets))

    assert code == ExitCode.PARTIAL
    first, second = json.loads(capsys.readouterr().out)
    assert first == {"target": "chat", "error": None}
    assert "chat not found" in second["error"]
    assert TOKEN not in second["error"]


def test_one_target_can_be_chosen(telegram: Telegram, capsys: pytest.CaptureFixture[str]) -> None:
    urls = f"tgram://{TOKEN}/-123 tgram://{TOKEN}/{CHAT}"

    assert notify("--test", "url-2", NOTIFY_URLS=urls) == ExitCode.OK
    assert notify("--test", "url-3", NOTIFY_URLS=urls) == ExitCode.FAILED
    assert "There are: url-1, url-2." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "secrets", "said"),
    [
        ((), {}, "--test or --list"),
        (("--test", "--list"), {}, "--test or --list"),
        (("--list", "url-1"), {}, "name none"),
        (("--test",), {}, "nobody is notified"),
        (("--test",), {"TELEGRAM_BOT_TOKEN": TOKEN}, "TELEGRAM_CHAT_ID is not set"),
        (("--test",), {"NOTIFY_URLS": "tgram://s3cret-of-me"}, "url-1 cannot be used"),
    ],
    ids=["nothing", "both", "list of one", "nobody", "no chat", "no url"],
)
def test_wrong_input(
    arguments: tuple[str, ...],
    secrets: dict[str, str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert notify(*arguments, **secrets) == ExitCode.FAILED
    error = capsys.readouterr().err
    assert said in error
    assert "s3cret" not in error


def test_what_waits_is_listed(
    redis: Redis, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notify("--list", "--redis", redis_url) == ExitCode.OK
    assert capsys.readouterr().out == "nothing waits to be told\n"
    outbox = Outbox(redis, "notifications")
    outbox.position(lambda: "1-0")
    note = Note(told=Told.FAILED, repository="repo", time=1e9, pkgbase="a")
    entries = {entry_key("chat", f"{number}-0"): note.to_json() for number in range(3)}
    outbox.write(entries, after="1-0", position="2-0")
    Patience(outbox).failed("chat", "Bad Gateway", 2e9)

    notify("--list", "--redis", redis_url)
    assert "Bad Gateway" in capsys.readouterr().out
    notify("--list", "--json", "--redis", redis_url)
    assert json.loads(capsys.readouterr().out) == [
        {
            "outbox": "notifications",
            "target": "chat",
            "waiting": 3,
            "oldest": 1e9,
            "next_try": 2e9 + 15,
            "trouble": "Bad Gateway",
        }
    ]


def test_others_are_told_beside_the_database_runner(
    redis: Redis, queue: Queue, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_QUIET", -10.0)
    monkeypatch.setattr(dispatching, "_EVERY", 0.02)
    with serving(GitLabStatusApi, Forge()) as server:
        notifier = {"id": 7, "token": FORGE_TOKEN, "url": server.api.url}
        secrets = {
            "NOTIFY_URLS": f"tgram://{TOKEN}/{CHAT}",
            "PACKAGE_REPOS_NOTIFIERS": json.dumps({"source": notifier}),
        }
        statuses = server.api.statuses  # type: ignore[attr-defined]
        with telling(Session(secrets=Secrets(secrets)), {}, redis):
            eventually(lambda: len(redis.keys("{caur}:outbox-position:*")) == 2)
            submit(queue, job("a"))
            queue.finish(claimed(queue), Outcome.FAILED)
            eventually(lambda: bool(telegram.shown and statuses))
            eventually(lambda: any("failed" in status.states for status in statuses))
            eventually(lambda: Tallies(redis).position() == queue.last_event_id())


def test_settings_that_are_wrong_are_told_at_the_start(redis: Redis) -> None:
    session = Session(secrets=Secrets({"NOTIFY_URLS": "tgram://nothing"}))

    with pytest.raises(ConfigError), telling(session, {}, redis):
        pass


def test_what_gives_access_is_a_secret() -> None:
    assert {"NOTIFY_URLS", "NOTIFY_TARGETS", "PACKAGE_REPOS_NOTIFIERS"} <= SECRET_NAMES
    assert "TELEGRAM_BOT_TOKEN" in SECRET_NAMES
