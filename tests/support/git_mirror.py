"""A git server over HTTP with many repositories and branches, and with troubles of every kind."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.git import git, make_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Files = dict[str, str]


def package(name: str, version: str = "1-1", *, more: Files | None = None) -> Files:
    """Return the files of a package as the AUR has them."""
    full, _, pkgrel = version.rpartition("-")
    epoch, _, pkgver = full.rpartition(":")
    head = f"pkgbase = {name}\n\tpkgver = {pkgver}\n\tpkgrel = {pkgrel}\n\tarch = any\n"
    epoch = f"\tepoch = {epoch}\n" if epoch else ""
    return {
        "PKGBUILD": f"pkgname={name}\npkgver={pkgver}\npkgrel={pkgrel}\n",
        ".SRCINFO": f"{head}{epoch}\npkgname = {name}\n",
        **(more or {}),
    }


def put(repository: Path, branches: Mapping[str, Files], *, parent: bool = True) -> dict[str, str]:
    """Commit files to branches of a bare repository; return the commits by branch.

    With a parent, each branch gets two commits, the first of which is never needed.
    """
    if not repository.exists():
        make_repository(repository, bare=True)
    lines: list[bytes] = []
    for number, (branch, files) in enumerate(branches.items()):
        who = b"A <a@example.org> %d +0000" % (1_700_000_000 + number)
        ref = f"refs/heads/{branch}".encode()
        if parent:
            lines.append(b"commit %s\ncommitter %s\ndata 3\nold\n" % (ref, who))
            lines.append(b"M 100644 inline old\ndata 4\nold\n\n")
        lines.append(b"commit %s\ncommitter %s\ndata 3\nnew\ndeleteall\n" % (ref, who))
        for name, text in files.items():
            data = text.encode()
            lines.append(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data))
    git(repository, "fast-import", "--quiet", "--force", stdin=b"".join(lines))
    heads = git(repository, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)")
    tips = dict(line.split(" ") for line in heads.splitlines())
    return {branch: tips[branch] for branch in branches}


@dataclass
class Trouble:
    """What goes wrong with the next `times` requests that `asks` and `path` are part of.

    `asks` is info, ls-refs or fetch. Without a status, the answer is right but for what is said:
    `cut` to so many bytes, or `corrupt`; or it is an error that `says` something. With `hang`,
    there is none before `release` is set.
    """

    path: str = ""
    asks: str = ""
    times: int = 1_000_000
    status: int = 0
    cut: int | None = None
    corrupt: bool = False
    says: str = ""
    hang: bool = False


@dataclass
class Request:
    """What the server was asked."""

    path: str
    asks: str
    authorization: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class GitMirror(ThreadingHTTPServer):
    """Serves all repositories below `root`, and what `troubles` say in place of them.

    With `unknown_are_empty`, it behaves as the AUR: whatever is not there is an empty repository.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, root: Path, *, unknown_are_empty: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.unknown_are_empty = unknown_are_empty
        self.troubles: list[Trouble] = []
        self.requests: list[Request] = []
        self.release = threading.Event()
        self.most_at_once = 0
        self.at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def asked(self, *kinds: str) -> list[str]:
        """Return the paths of the requests of these kinds."""
        return [request.path for request in self.requests if request.asks in kinds]

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        yield
        with self.lock:
            self.at_once -= 1

    def trouble(self, path: str, asks: str) -> Trouble | None:
        with self.lock:
            for trouble in self.troubles:
                if trouble.times and trouble.path in path and trouble.asks in asks:
                    trouble.times -= 1
                    return trouble
        return None


class _Handler(BaseHTTPRequestHandler):
    server: GitMirror

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def _answer(self) -> None:
        body = self._body()
        path = urlsplit(self.path).path
        asks = "info" if self.command == "GET" else _command(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        login = self.headers.get("Authorization", "")
        self.server.requests.append(Request(path, asks, login, headers))
        trouble = self.server.trouble(path, asks)
        if trouble and trouble.hang:
            self.server.release.wait()
            self.close_connection = True
            return
        if trouble and trouble.status:
            self._send(trouble.status, {}, b"")
            return
        if trouble and trouble.says:
            words = f"ERR {trouble.says}".encode()
            kind = {"Content-Type": "application/x-git-upload-pack-result"}
            self._send(200, kind, b"%04x%s" % (len(words) + 4, words))
            return
        with self.server.counted():
            status, answer_headers, answer = self._backend(path, body)
        if trouble and trouble.corrupt:
            answer = answer[:-30] + bytes([answer[-30] ^ 1]) + answer[-29:]
        self._send(status, answer_headers, answer, cut=trouble.cut if trouble else None)

    def _send(
        self, status: int, headers: dict[str, str], body: bytes, *, cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = True

    def _backend(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.server.unknown_are_empty:
            path = self._known(path)
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": urlsplit(self.path).query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        program = shutil.which("git", path=os.defpath)
        assert program is not None
        answer = subprocess.run(
            [program, "http-backend"], input=body, env=environment, capture_output=True, check=False
        ).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return int(headers.pop("Status", "200").split()[0]), headers, body

    def _known(self, path: str) -> str:
        name = path.lstrip("/").split("/")[0]
        if (self.server.root / name).exists():
            return path
        put(self.server.root / ".empty.git", {})
        return path.replace(name, ".empty.git", 1)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(chunks)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body


def _command(body: bytes) -> str:
    return "ls-refs" if b"command=ls-refs" in body[:100] else "fetch"


@contextmanager
def git_mirror(root: Path, *, unknown_are_empty: bool = False) -> Iterator[GitMirror]:
    """Serve the repositories below `root` on loopback until the block ends."""
    server = GitMirror(root, unknown_are_empty=unknown_are_empty)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


class GitCalls:
    """Git as it is, but every call of it by name is noted."""

    def __init__(self, folder: Path) -> None:
        real = shutil.which("git")
        self._log = folder / "git-calls"
        self.folder = folder / "counting"
        self.folder.mkdir()
        script = self.folder / "git"
        script.write_text(f'#!/bin/sh\necho "$*" >>"{self._log}"\nexec {real} "$@"\n')
        script.chmod(0o755)

    def of(self, command: str = "") -> list[str]:
        """Return the calls so far with this word in them."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line for line in lines if command in line.split() or not command]
