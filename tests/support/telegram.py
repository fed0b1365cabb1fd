"""Telegram on loopback: takes messages as its bot API does, and reads their markup as strictly."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "1234567890:AAF-s3cret_t0ken_of_a_bot_s3cret_tok"
CHAT = "-100200300"
_SPECIAL = frozenset("_*[]()~`>#+-=|{}.!")
_LONGEST = 4096


@dataclass(frozen=True)
class Shown:
    """A message as people see it: the text, and what is bold, quoted or a link in it."""

    text: str
    bold: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    quoted: tuple[str, ...] = ()


class MarkupError(Exception):
    """Markup that Telegram refuses."""


def read_markdown_v2(text: str) -> Shown:
    """Read MarkdownV2, as far as it is bold words, links and quotations."""
    reader = _Reader(text)
    reader.read()
    lines = "".join(reader.out).split("\n")
    quoted = tuple(lines[number] for number in reader.quoted)
    return Shown("\n".join(lines), tuple(reader.bold), tuple(reader.links), quoted)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.out: list[str] = []
        self.bold: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.quoted: list[int] = []

    def read(self) -> None:
        line, starts = 0, True
        while self.place < len(self.text):
            character = self.text[self.place]
            if starts and character == ">":
                self.quoted.append(line)
                self.place += 1
                starts = False
                continue
            starts = character == "\n"
            line += starts
            if character == "*":
                self.bold.append(self._until("*"))
            elif character == "[":
                self._link()
            else:
                self.out.append(self._one())

    def _one(self) -> str:
        character = self.text[self.place]
        if character == "\\":
            if self.place + 1 == len(self.text) or ord(self.text[self.place + 1]) > 126:
                raise MarkupError("Can't parse entities: nothing is escaped")
            self.place += 2
            return self.text[self.place - 1]
        if character in _SPECIAL:
            raise MarkupError(
                f"Bad Request: can't parse entities: Character '{character}' is reserved and must "
                "be escaped with the preceding '\\'"
            )
        self.place += 1
        return character

    def _until(self, end: str) -> str:
        self.place += 1
        found = ""
        while self.place < len(self.text):
            if self.text[self.place] == end:
                self.place += 1
                self.out.append(found)
                return found
            found += self._one()
        raise MarkupError("Bad Request: can't parse entities: can't find the end")

    def _link(self) -> None:
        label = self._until("]")
        if self.text[self.place : self.place + 1] != "(":
            raise MarkupError("Bad Request: can't parse entities: a link without an address")
        self.place += 1
        url = ""
        while self.text[self.place] != ")":
            self.place += self.text[self.place] == "\\"
            url += self.text[self.place]
            self.place += 1
        self.place += 1
        self.links.append((label, url))


@dataclass
class Telegram:
    """What a bot has said. `faults` are answered first: status and description."""

    shown: list[Shown] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)
    is_down: bool = False
    url: str = ""

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.shown]

    def take(self, path: str, call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(call)
        status, said = self._fault(path, call)
        if status == 200:
            try:
                self.shown.append(self._read(call))
            except MarkupError as error:
                status, said = 400, str(error)
        if status != 200:
            return status, {"ok": False, "error_code": status, "description": said}
        return 200, {"ok": True, "result": {"message_id": len(self.shown)}}

    def _fault(self, path: str, call: dict[str, Any]) -> tuple[int, str]:
        if path != f"/bot{TOKEN}/sendMessage":
            return 404, "Not Found"
        if self.is_down:
            return 502, "Bad Gateway"
        if self.faults:
            return self.faults.pop(0)
        if str(call.get("chat_id")) != CHAT:
            return 400, "Bad Request: chat not found"
        return 200, ""

    def _read(self, call: dict[str, Any]) -> Shown:
        if call.get("parse_mode") != "MarkdownV2":
            raise MarkupError(f"Bad Request: unsupported parse_mode {call.get('parse_mode')}")
        shown = read_markdown_v2(call["text"])
        if len(shown.text.encode("utf-16-le")) // 2 > _LONGEST:
            raise MarkupError("Bad Request: message is too long")
        return shown


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    telegram: Telegram


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        status, answer = self.server.telegram.take(self.path, json.loads(self.rfile.read(length)))
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


@contextmanager
def serving_telegram() -> Iterator[Telegram]:
    """Be Telegram until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.telegram = Telegram(url=f"http://127.0.0.1:{server.server_port}/bot")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.telegram
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
