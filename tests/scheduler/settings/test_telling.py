"""Whom to tell what, from variables and from a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.errors import ConfigError
from scheduler.settings import ForgeKind, StatusNotifier, TellingSettings, Told

if TYPE_CHECKING:
    from pathlib import Path

BOT = "1234567890:AAF-s3cret_t0ken"


def settings(secrets: dict[str, str] | None = None, **environ: str) -> TellingSettings:
    return TellingSettings.from_environment(environ, secrets or {})


def notifier(data: dict[str, Any], url: str = "") -> StatusNotifier:
    repos = {"PACKAGE_REPOS": json.dumps({"source": {"url": url}})} if url else {}
    secret = {"PACKAGE_REPOS_NOTIFIERS": json.dumps({"source": data})}
    return settings(secret, **repos).notifiers["source"]


def test_nobody_is_told_anything_by_default() -> None:
    found = settings()
    assert (found.targets, found.notifiers, found.metrics_port) == ((), {}, None)


def test_telegram_as_in_the_existing_system() -> None:
    (target,) = settings({"TELEGRAM_BOT_TOKEN": BOT}, TELEGRAM_CHAT_ID="-100123").targets

    assert (target.name, target.url) == ("telegram", f"tgram://{BOT}/-100123")
    assert target.events == frozenset(Told)


def test_a_file_says_who_is_told_what(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("tgram://from-a-file/1\n")
    path = tmp_path / "caur.toml"
    path.write_text(
        f"""
[web]
logs_url = "https://example.org/logs.html"

[metrics]
port = 3030

[notifications]
telegram_chat_id = "@news"

[notifications.targets.maintainers]
url_file = "{tmp_path}/url"
events = ["failed", "timed-out"]
packages = ["*-git"]
repositories = ["repo"]
"""
    )
    found = settings({"TELEGRAM_BOT_TOKEN": BOT}, CAUR_CONFIG=str(path))

    telegram, chosen = found.targets
    assert telegram.url.endswith("/@news")
    assert chosen.url == "tgram://from-a-file/1"
    assert chosen.events == {Told.FAILED, Told.TIMED_OUT}
    assert chosen.packages == ("*-git",)
    assert chosen.repositories == {"repo"}
    assert (found.logs_url, found.metrics_port) == ("https://example.org/logs.html", 3030)


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({}, (None, "127.0.0.1")),
        ({"METRICS_PORT": "9000"}, (9000, "127.0.0.1")),
        ({"METRICS_HOST": "0.0.0.0"}, (3030, "0.0.0.0")),  # noqa: S104 - what users of containers set
    ],
    ids=["nothing", "port", "host"],
)
def test_where_metrics_are_served(environ: dict[str, str], place: tuple[int | None, str]) -> None:
    found = settings(None, **environ)
    assert (found.metrics_port, found.metrics_host) == place


def test_a_notifier_as_in_the_existing_system() -> None:
    found = notifier(
        {"id": "123456", "token": "glpat-s3cret", "check_name": "awesome-repo: %pkgbase%"}
    )
    assert (found.forge, found.server) == (ForgeKind.GITLAB, "https://gitlab.com")
    assert (found.project, found.check_name) == ("123456", "awesome-repo: %pkgbase%")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "more", "kind", "server"),
    [
        ("https://me:pw@gitlab.example.org/g/p.git", {}, "gitlab", "https://gitlab.example.org"),
        ("https://github.com/o/n.git", {}, "github", "https://github.com"),
        ("https://codeberg.org/o/n", {}, "forgejo", "https://codeberg.org"),
        ("git@example.org:o/n.git", {"url": "https://x.org/"}, "gitlab", "https://x.org"),
        ("https://x.org/o/n.git", {"forge": "forgejo"}, "forgejo", "https://x.org"),
        ("https://x.org/o/n.git", {"forge": "github"}, "github", "https://x.org"),
    ],
    ids=["gitlab", "github", "codeberg", "url", "forgejo", "enterprise"],
)
def test_the_forge_is_that_of_the_repository(
    url: str, more: dict[str, str], kind: str, server: str
) -> None:
    found = notifier({"id": "o/n", "token": "t"} | more, url)
    assert (found.forge, found.server, found.project) == (kind, server, "o/n")


def test_issues_are_by_setting() -> None:
    plain = notifier({"id": "1", "token": "t"})
    assert (plain.statuses, plain.issues) == (True, False)
    assert plain.rebuild_title == "[Rebuild] %pkgbase%"

    asked = {"statuses": False, "issues": True, "mention": ["me", "g/p"]}
    found = notifier({"id": "1", "token": "t", "rebuild_title": "Build %pkgbase%"} | asked)
    assert (found.statuses, found.issues, found.mention) == (False, True, ("me", "g/p"))
    assert found.rebuild_title == "Build %pkgbase%"


@pytest.mark.parametrize(
    ("secrets", "environ", "said"),
    [
        ({"TELEGRAM_BOT_TOKEN": BOT}, {}, "TELEGRAM_CHAT_ID is not set"),
        ({}, {"TELEGRAM_CHAT_ID": "1"}, "TELEGRAM_BOT_TOKEN is not set"),
        ({"TELEGRAM_BOT_TOKEN": "s3cret"}, {"TELEGRAM_CHAT_ID": "1"}, "not the token of a bot"),
        ({"NOTIFY_URLS": "tgram://s3cret/1 s3cret"}, {}, "is no URL"),
        ({"NOTIFY_TARGETS": '{"a": {"url": "s3cret"}}'}, {}, "$.a.url: does not match"),
        ({"NOTIFY_TARGETS": '{"a": {"events": ["s3cret"]}}'}, {}, "$.a.events[0]"),
        ({"NOTIFY_TARGETS": '{"a": {}}'}, {}, "$.a has neither url nor url_file"),
        ({"NOTIFY_TARGETS": '{"a": {"url_file": "/nowhere/x"}}'}, {}, "cannot be read"),
        ({"NOTIFY_TARGETS": "s3cret"}, {}, "is not JSON"),
        ({"PACKAGE_REPOS_NOTIFIERS": '{"a": {"token": "s3cret"}}'}, {}, "$.a: 'id' is a required"),
        ({"PACKAGE_REPOS_NOTIFIERS": '{"a": {"id": "1"}}'}, {}, "neither token nor token_file"),
        ({"PACKAGE_REPOS_NOTIFIERS": '{"a": {"id": 1, "mention": ["@a"]}}'}, {}, "$.a.mention[0]"),
        ({"PACKAGE_REPOS_NOTIFIERS": '{"a": {"id": 1, "rebuild_title": "x"}}'}, {}, "$.a.rebuild"),
        (
            {"PACKAGE_REPOS_NOTIFIERS": '{"a": {"id": 1, "forge": "github", "token": "s3cret"}}'},
            {},
            "$.a.id is not OWNER/NAME",
        ),
    ],
    ids=str,
)
def test_mistakes_are_named_and_secrets_are_not(
    secrets: dict[str, str], environ: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(secrets, **environ)

    assert said in caught.value.message
    assert "s3cret" not in caught.value.message + caught.value.hint
