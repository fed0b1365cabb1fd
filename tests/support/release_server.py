"""A server on loopback that keeps release assets as GitHub does, names included."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "ghs_release"
REPOSITORY = "owner/name"
_API = f"/api/v3/repos/{REPOSITORY}/releases"
_UPLOADS = f"/api/uploads/repos/{REPOSITORY}/releases"
_DOWNLOADS = f"/{REPOSITORY}/releases/download"


@dataclass
class Asset:
    """A file of a release."""

    number: int
    name: str
    content: bytes
    label: str = ""


@dataclass
class ReleaseServer:
    """The releases of one repository, by tag. `refusals` are statuses to answer writes with."""

    url: str = ""
    releases: dict[str, list[Asset]] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: int = 0

    def next_number(self) -> int:
        self._last += 1
        return self._last

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, Any]:
        """Return status and content; bytes for a file, else what becomes JSON."""
        with self._lock:
            if path.startswith(_DOWNLOADS):
                tag, _, name = path.removeprefix(f"{_DOWNLOADS}/").partition("/")
                found = [it for it in self.releases.get(tag, ()) if it.name == name]
                return (200, found[0].content) if found else (404, {"message": "Not Found"})
            if method != "GET" and self.refusals:
                return self.refusals.pop(0), {"message": "refused for a test"}
            if path.startswith(_UPLOADS):
                label = query.get("label", [""])[0]
                return self._upload(path, query["name"][0], label, body)
            return self._api(method, path.removeprefix(_API), query, body)

    def _api(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, Any]:
        if path == "" and method == "GET":
            return 200, self._page([self._release(tag) for tag in self.releases], query)
        if path == "" and method == "POST":
            tag = json.loads(body)["tag_name"]
            if tag in self.releases:
                return 422, {"message": "Validation Failed: already_exists"}
            self.releases[tag] = []
            return 201, self._release(tag)
        if match := re.fullmatch(r"/(\d+)/assets", path):
            assets = self.releases[self._tag(match[1])]
            return 200, self._page([self._asset(asset) for asset in assets], query)
        if match := re.fullmatch(r"/assets/(\d+)", path):
            return self._change(method, int(match[1]), body)
        self.problems.append(f"{method} {path}")
        return 404, {"message": "Not Found"}

    def _upload(self, path: str, name: str, label: str, body: bytes) -> tuple[int, Any]:
        match = re.fullmatch(rf"{_UPLOADS}/(\d+)/assets", path)
        if match is None:
            self.problems.append(path)
            return 404, {"message": "Not Found"}
        assets = self.releases[self._tag(match[1])]
        # What GitHub does with names, and does not say before.
        stored = re.sub(r"[^A-Za-z0-9._+-]", ".", name).strip(".")
        if any(asset.name == stored for asset in assets):
            return 422, {"message": "Validation Failed: already_exists"}
        asset = Asset(self.next_number(), stored, body, label)
        assets.append(asset)
        return 201, self._asset(asset)

    def _change(self, method: str, number: int, body: bytes) -> tuple[int, Any]:
        for assets in self.releases.values():
            for asset in assets:
                if asset.number != number:
                    continue
                if method == "DELETE":
                    assets.remove(asset)
                    return 204, None
                name = json.loads(body)["name"]
                if any(other.name == name for other in assets if other is not asset):
                    return 422, {"message": "Validation Failed: already_exists"}
                asset.name, asset.label = name, json.loads(body).get("label", asset.label)
                return 200, self._asset(asset)
        return 404, {"message": "Not Found"}

    def _page(self, items: list[Any], query: dict[str, list[str]]) -> list[Any]:
        size = int(query.get("per_page", ["30"])[0])
        page = int(query.get("page", ["1"])[0])
        return items[(page - 1) * size : page * size]

    def _tag(self, number: str) -> str:
        return list(self.releases)[int(number) - 1]

    def _release(self, tag: str) -> dict[str, Any]:
        number = list(self.releases).index(tag) + 1
        return {
            "id": number,
            "tag_name": tag,
            "name": tag,
            "url": f"{self.url}{_API}/{number}",
            "upload_url": f"{self.url}{_UPLOADS}/{number}/assets{{?name,label}}",
        }

    def _asset(self, asset: Asset) -> dict[str, Any]:
        return {
            "id": asset.number,
            "name": asset.name,
            "label": asset.label or None,
            "size": len(asset.content),
            "state": "uploaded",
            "url": f"{self.url}{_API}/assets/{asset.number}",
        }


@contextmanager
def release_server() -> Iterator[ReleaseServer]:
    """Serve until the block ends."""
    served = ReleaseServer()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content: Any
            public = parts.path.startswith(_DOWNLOADS)
            if not public and self.headers.get("Authorization") != f"token {TOKEN}":
                status, content = 401, {"message": "Bad credentials"}
            else:
                query = parse_qs(parts.query)
                status, content = served.answer(self.command, parts.path, query, body)
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "0" if status == 204 else str(len(text)))
            self.end_headers()
            if status != 204:
                self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
