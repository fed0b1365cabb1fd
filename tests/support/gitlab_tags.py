"""A GitLab server that knows the tags of projects: paging, tokens, limits and failures."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_API = "/api/v4/projects/"
_TAGS = "/repository/tags"


@dataclass
class Refusal:
    """An answer other than the list, for the next `times` requests."""

    status: int
    times: int = 1_000_000
    body: str = '{"message":"no"}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class TagServer:
    """The tags of each project, by path, in the order in which they are answered.

    Private projects need `token`; `asked` are the paths with queries, `tokens` what came with them.
    """

    url: str = ""
    token: str = ""
    projects: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def answer(self, path: str, token: str) -> tuple[int, str, dict[str, str]]:
        self.asked.append(path)
        self.tokens.append(token)
        for refusal in self.refusals:
            if refusal.times > 0:
                refusal.times -= 1
                return refusal.status, refusal.body, refusal.headers
        parts = urlsplit(path)
        project = unquote(parts.path.removeprefix(_API).removesuffix(_TAGS))
        if token and token != self.token:
            return 401, '{"message":"401 Unauthorized"}', {}
        if project not in self.projects or (project in self.private and not token):
            return 404, '{"message":"404 Project Not Found"}', {}
        return self._page(project, {key: it[0] for key, it in parse_qs(parts.query).items()})

    def _page(self, project: str, query: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        size, number = min(int(query.get("per_page", 20)), 100), int(query.get("page", 1))
        tags = self.projects[project]
        here = tags[size * (number - 1) : size * number]
        more = str(number + 1) if len(tags) > size * number else ""
        listed = [self._tag(project, name, commit) for name, commit in here]
        return 200, json.dumps(listed), {"X-Next-Page": more, "X-Page": str(number)}

    def _tag(self, project: str, name: str, commit: str) -> dict[str, object]:
        path = "group/tool" if project.isdecimal() else project
        page = f"{self.url}/{path}/-/commit/{commit}"
        return {
            "name": name,
            "message": "",
            "target": "f" * 40,
            "commit": {"id": commit, "web_url": page},
            "release": None,
            "protected": False,
        }


@contextmanager
def tag_server() -> Iterator[TagServer]:
    """Provide a server without projects."""
    there = TagServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, headers = there.answer(self.path, self.headers.get("PRIVATE-TOKEN", ""))
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        there.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield there
        finally:
            server.shutdown()
            thread.join()
