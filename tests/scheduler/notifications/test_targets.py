"""What arrives at targets of other kinds than Telegram, whatever is in it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from scheduler.notifications.markup import Markup
from scheduler.notifications.model import Note, Waiting
from scheduler.notifications.target import Target
from scheduler.notifications.wording import groups, message
from scheduler.outbox import DeliveryError
from scheduler.settings.telling import NotificationTarget, Told

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "a_b*c<d>&[e](f)"
COMMIT = "https://gitlab.example.org/g/p/-/commit/" + "a" * 40


class Webhook(ThreadingHTTPServer):
    """Takes whatever JSON is sent to it; `status` is what it answers with."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.taken: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.server.taken.append(json.loads(self.rfile.read(length)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


@pytest.fixture(scope="module")
def _webhook() -> Iterator[Webhook]:
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def webhook(_webhook: Webhook) -> Webhook:
    _webhook.status = 200
    _webhook.taken.clear()
    return _webhook


def target(webhook: Webhook, *, markup: str = "") -> Target:
    query = f"?format={markup}" if markup else ""
    url = f"json://me:s3cret-pw@127.0.0.1:{webhook.server_port}/{query}"
    opened = Target(NotificationTarget(name="hook", url=url))
    opened._plugin.request_rate_per_sec = 0
    return opened


def send(to: Target) -> None:
    note = Note(
        told=Told.FAILED, repository="repo", time=1.0, pkgbase=NAME, node="b", commit_url=COMMIT
    )
    (group,) = groups([Waiting("hook 1-0", "hook", note)])
    to.send(message(group, to.markup, lambda _: "", limit=to.limit, has_title=to.has_title))


@pytest.mark.parametrize(
    ("markup", "line"),
    [
        ("", f"> {NAME} - commit: {COMMIT}"),
        ("text", f"> {NAME} - commit: {COMMIT}"),
        ("html", f'&gt; a_b*c&lt;d&gt;&amp;[e](f) - <a href="{COMMIT}">commit</a>'),
        (
            "markdown",
            rf"- a\_b\*c\<d\>\&\[e\]\(f\) \- [commit](<{COMMIT}>)",
        ),
    ],
    ids=["default", "text", "html", "markdown"],
)
def test_each_gets_its_own_markup(webhook: Webhook, markup: str, line: str) -> None:
    to = target(webhook, markup=markup)
    assert to.markup == (markup or Markup.TEXT)

    send(to)

    (taken,) = webhook.taken
    assert taken["title"] == "🚨 Failed deploying to repo on b:"
    assert taken["message"] == line


@pytest.mark.parametrize(
    ("status", "refused"), [(400, True), (404, True), (429, False), (503, False)], ids=str
)
def test_what_is_not_taken(webhook: Webhook, status: int, refused: bool) -> None:
    webhook.status = status

    with pytest.raises(DeliveryError) as caught:
        send(target(webhook))

    assert caught.value.refused is refused
    assert str(status) in caught.value.message
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "markup"),
    [
        ("mailto://me:pw@example.org", Markup.HTML),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", Markup.MARKDOWN),
        ("ntfy://topic", Markup.TEXT),
        ("json://localhost", Markup.TEXT),
    ],
    ids=["mail", "discord", "ntfy", "json"],
)
def test_what_others_read(url: str, markup: Markup) -> None:
    assert Target(NotificationTarget(name="x", url=url)).markup is markup
