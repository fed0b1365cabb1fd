"""A web server that sources come from: whole, in pieces, slowly, too large, or not at all."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Answer:
    """What a path answers.

    `length` is what is told of the content's, by default what it is. `hangs` sends nothing more
    once the content is sent, until the server ends. `endless` repeats the content.
    """

    content: bytes = b""
    status: int = 200
    kind: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    hangs: bool = False
    endless: bool = False
    times: int = 1_000_000


@dataclass
class SourceServer:
    """Answers by path, 404 for others; several of one path come one after the other."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def put(self, path: str, *answers: Answer | bytes) -> str:
        """Let `path` answer so, and return its URL."""
        self.answers[path] = [it if isinstance(it, Answer) else Answer(it) for it in answers]
        return f"{self.url}{path}"

    def next(self, path: str) -> Answer:
        answers = self.answers.get(path, [])
        while len(answers) > 1 and answers[0].times <= 0:
            answers.pop(0)
        if not answers:
            return Answer(b"there is no such file", 404)
        answers[0].times -= 1
        return answers[0]


class _Handler(BaseHTTPRequestHandler):
    there: SourceServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.there.asked.append(path)
        self.there.headers.append(dict(self.headers))
        answer = self.there.next(path)
        self.send_response(answer.status)
        length = len(answer.content) if answer.length is None else answer.length
        headers = {"Content-Type": answer.kind, "Content-Length": str(length), **answer.headers}
        if answer.endless or answer.hangs:
            del headers["Content-Length"]
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(answer.content)
            while answer.endless and not self.there.ended.is_set():
                self.wfile.write(answer.content)
            if answer.hangs:
                self.there.ended.wait()
        except OSError:
            pass  # whoever asked has heard enough

    do_POST = do_GET  # noqa: N815 - as the base class wants

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


@contextmanager
def source_server() -> Iterator[SourceServer]:
    """Provide a server without files."""
    there = SourceServer()
    handler = type("Handler", (_Handler,), {"there": there})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        there.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        thread.start()
        try:
            yield there
        finally:
            there.ended.set()
            server.shutdown()
            thread.join()
