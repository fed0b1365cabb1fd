"""An AUR on loopback: the RPC with the manners of aurweb or of goaurrpc, and the archive.

It is as strict as those: what they would refuse or misread, it refuses or misreads too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_EMPTY: dict[str, Any] = {"version": 5, "results": [], "resultcount": 0}
_ARCHIVE = "/packages-meta-v1.json.gz"


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer in place of the right one. With `cut`, it breaks off after so many bytes."""

    status: int = 200
    body: bytes = b""
    retry_after: str = ""
    cut: int | None = None


class AurServer(ThreadingHTTPServer):
    """Serves `records`, by package name. `faults` are used up before right answers are given."""

    daemon_threads = True

    def __init__(self, *, goaurrpc: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.goaurrpc = goaurrpc
        self.records: dict[str, dict[str, Any]] = {}
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[str, str, int]] = []
        self.compress_again = False
        self.rate_limit = 4000

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(
        self,
        name: str,
        version: str = "1-1",
        *,
        base: str = "",
        modified: int = 1_700_000_000,
        maintainer: str | None = "somebody",
        comaintainers: tuple[str, ...] = (),
        submitted: int | None = None,
    ) -> None:
        """Put a package in, or replace it: when it was submitted stays, if nothing else is said."""
        known = self.records.get(name, {}).get("FirstSubmitted", modified)
        people = {"CoMaintainers": list(comaintainers)} if comaintainers else {}
        self.records[name] = {
            "ID": len(self.requests),  # not stable there either
            "Name": name,
            "PackageBaseID": 1,
            "PackageBase": base or name,
            "Version": version,
            "Description": None,
            "URL": "https://example.org",
            "URLPath": f"/cgit/aur.git/snapshot/{name}.tar.gz",
            "NumVotes": 0,
            "Popularity": 0,
            "OutOfDate": None,
            "Maintainer": maintainer,
            "FirstSubmitted": known if submitted is None else submitted,
            "LastModified": modified,
            **people,
        }

    def archive(self) -> bytes:
        """Return the archive as it is just now."""
        described = (self.records[name] for name in sorted(self.records))
        lines = ",\n".join(
            json.dumps({key: it for key, it in record.items() if key != "CoMaintainers"})
            for record in described
        )
        return gzip.compress(f"[\n{lines}\n]\n".encode(), mtime=0)


class _Handler(BaseHTTPRequestHandler):
    server: AurServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self._note(url.path)
        if self._fault():
            return
        if url.path == _ARCHIVE:
            self._send_archive()
        elif url.path == "/rpc":
            self._send_json(self._rpc(url.query))
        else:
            self._send(404, b"not found", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._note(self.path)
        if self._fault():
            return
        if self.path != "/rpc":
            self._send(404, b"not found", "text/plain")
        elif self.headers.get_content_type() != "application/x-www-form-urlencoded":
            self._send_json(_error("No request type/data specified."))
        else:
            self._send_json(self._rpc(body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def _note(self, path: str) -> None:
        self.server.requests.append((self.command, path, int(self.headers["Content-Length"] or 0)))

    def _fault(self) -> bool:
        if not self.server.faults:
            return False
        fault = self.server.faults.popleft()
        self.send_response(fault.status)
        self.send_header("Content-Length", str(len(fault.body)))
        if fault.retry_after:
            self.send_header("Retry-After", fault.retry_after)
        self.end_headers()
        self.wfile.write(fault.body[: fault.cut])
        self.close_connection = True
        return True

    def _rpc(self, form: str) -> dict[str, Any]:
        if sum(path == "/rpc" for _, path, _ in self.server.requests) > self.server.rate_limit:
            return {**_error("Rate limit reached"), "status": 429}
        fields = parse_qsl(form, keep_blank_values=True)
        settings = dict(fields)
        names = [value for key, value in fields if key == "arg[]"]
        if settings.get("v") != "5":
            return _error("Please specify an API version.")
        if settings.get("type") != "info" or not names:
            return _error("No request type/data specified.")
        if not self.server.goaurrpc:
            names = sorted(set(names))
        found = [self.server.records[name] for name in names if name in self.server.records]
        if len(found) > 5000:
            return _error("Too many package results.")
        return {"version": 5, "type": "multiinfo", "resultcount": len(found), "results": found}

    def _send_json(self, answer: dict[str, Any]) -> None:
        status = answer.pop("status", 200)
        self._send(status, json.dumps(answer).encode(), "application/json")

    def _send_archive(self) -> None:
        content = self.server.archive()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.send_header("ETag", tag)
            self.end_headers()
            return
        if self.server.compress_again and "gzip" in self.headers.get("Accept-Encoding", ""):
            self._send(200, gzip.compress(content), "text/plain", tag, "gzip")
        else:
            self._send(200, content, "text/plain", tag)

    def _send(self, status: int, body: bytes, kind: str, tag: str = "", encoding: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (("ETag", tag), ("Content-Encoding", encoding)):
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _error(text: str) -> dict[str, Any]:
    return {**_EMPTY, "type": "error", "error": text}


@contextmanager
def aur_server(*, goaurrpc: bool = True) -> Iterator[AurServer]:
    """Run an empty AUR until the block ends."""
    server = AurServer(goaurrpc=goaurrpc)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
