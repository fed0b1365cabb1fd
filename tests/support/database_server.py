"""A server of pacman databases, which knows conditions as real ones do."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

from tests.support.sync_databases import database

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass
class Served:
    """A file, and when it was written, in Unix seconds (0: the server does not say)."""

    content: bytes
    modified: int = 0

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


class DatabaseServer(ThreadingHTTPServer):
    """What is served by path, what goes wrong there, and what was answered.

    `faults` are by path: a status, or below 0 the number of bytes that the answer lacks at its end.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, Served] = {}
        self.faults: dict[str, int] = {}
        self.answers: list[tuple[str, int]] = []
        self.has_tags = True

    def put(self, path: str, versions: Mapping[str, str], *, modified: int = 0) -> str:
        """Serve a database of packages in these versions; return its URL."""
        self.files[path] = Served(database(versions), modified)
        return f"{self.url}/{path}"


class _Handler(BaseHTTPRequestHandler):
    @property
    def _served(self) -> DatabaseServer:
        return cast("DatabaseServer", self.server)

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        file = self._served.files.get(path)
        fault = self._served.faults.get(path, 0)
        status = fault if fault > 0 else 200 if file else 404
        if file is None or status != 200:
            self._answer(path, status, {}, b"<html>sorry</html>")
            return
        headers = {"ETag": file.tag} if self._served.has_tags else {}
        if file.modified:
            headers["Last-Modified"] = formatdate(file.modified, usegmt=True)
        if self._is_known(file):
            self._answer(path, 304, headers, b"")
        else:
            self._answer(path, 200, headers, file.content, missing=-fault)

    def _is_known(self, file: Served) -> bool:
        if self._served.has_tags:
            return bool(self.headers.get("If-None-Match") == file.tag)
        since = self.headers.get("If-Modified-Since", "")
        return bool(since) and parsedate_to_datetime(since).timestamp() == file.modified

    def _answer(
        self,
        path: str,
        status: int,
        headers: Mapping[str, str],
        content: bytes,
        *,
        missing: int = 0,
    ) -> None:
        self._served.answers.append((path, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) - missing])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def database_server() -> Iterator[DatabaseServer]:
    """Run a server that has nothing yet until the block ends."""
    server = DatabaseServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
