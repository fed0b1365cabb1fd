"""Serves a forge over HTTP: faults first, then what the API says; each call is checked."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support.forges.model import Call, Fault, Forge
from tests.support.forges.shapes import Shape, complaints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Answer = tuple[int, Any]
TOKEN = "glpat-s3cret-t0ken"


class Api(Protocol):
    """What one kind of forge answers."""

    url: str

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What calls may look like."""
        ...

    @property
    def routes(self) -> Sequence[tuple[str, str, Callable[..., Answer]]]:
        """Who answers them: by method, and a regular expression for the path."""
        ...

    def authorized(self, headers: dict[str, str]) -> bool:
        """Tell whether the token is right."""
        ...


@dataclass
class Paged:
    """A list, of which a page is answered."""

    items: list[Any]


class ForgeServer(ThreadingHTTPServer):
    """One forge."""

    daemon_threads = True

    def __init__(self, make: Callable[[Forge, str], Api], forge: Forge) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.forge = forge
        self.api = make(forge, f"http://127.0.0.1:{self.server_port}")
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: ForgeServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with self.server.lock:
            self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - as the base class wants

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def _serve(self) -> None:
        forge, api = self.server.forge, self.server.api
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(url.query))
        call = Call(self.command, url.path, query, json.loads(data) if data else None, headers)
        forge.calls.append(call)
        fault = self._fault(call)
        if fault is not None:
            if fault.status:
                self._send(fault.status, fault.body.encode(), fault.headers)
            else:
                self.close_connection = True
            return
        forge.wrong.extend(complaints(api.shapes, call))
        if not api.authorized(headers):
            self._json(401, {"message": "401 Unauthorized"})
            return
        forge.sync()
        for method, pattern, answer in api.routes:
            found = re.fullmatch(pattern, url.path)
            if found and method == self.command:
                self._answer(call, *answer(api, call, *found.groups()))
                return
        self._json(404, {"message": "404 Not Found"})

    def _fault(self, call: Call) -> Fault | None:
        faults = self.server.forge.faults
        for fault in faults:
            if fault.where in call.what:
                faults.remove(fault)
                return fault
        return None

    def _answer(self, call: Call, status: int, data: object) -> None:
        if not isinstance(data, Paged):
            self._json(status, data)
            return
        page = int(call.query.get("page", "1"))
        size = min(int(call.query.get("per_page", "20")), self.server.forge.page_size)
        part = data.items[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(data.items):
            query = urlencode({**call.query, "page": page + 1})
            address = f"http://127.0.0.1:{self.server.server_port}{call.path}?{query}"
            headers = {"Link": f'<{address}>; rel="next"', "X-Next-Page": str(page + 1)}
        self._json(status, part, headers)

    def _json(self, status: int, data: object, headers: dict[str, str] | None = None) -> None:
        body = b"" if data is None else json.dumps(data).encode()
        self._send(status, body, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(make: Callable[[Forge, str], Api], forge: Forge) -> Iterator[ForgeServer]:
    """Serve `forge` until the block ends."""
    server = ForgeServer(make, forge)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
