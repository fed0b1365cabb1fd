"""A small AUR on this machine: one package, its metadata over HTTP, its files in a repository."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from caur_ci.demo.setup import git_environment
from caur_ci.process import run
from caur_ci.srcinfo import parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from caur_ci.demo.setup import DemoFolders

_MAX_FORM = 1 << 20
_BRANCH = "refs/heads/master"


class LocalAur:
    """What the AUR has, and its answers on loopback."""

    def __init__(self, made: DemoFolders) -> None:
        self._made = made
        self._folder = made.work / "aur"
        self._folder.mkdir()
        self._records: dict[str, dict[str, object]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self._records))
        self._server.daemon_threads = True

    @property
    def settings(self) -> str:
        """Lines for `.ci/config`: where it is."""
        return (
            f"CI_AUR_URL=http://127.0.0.1:{self._server.server_port}\n"
            f"CI_AUR_GIT={self._folder.as_uri()}/{{pkgbase}}.git\n"
        )

    def push(self, package: Path) -> str:
        """Let the AUR have the files in a package's folder; return their version."""
        fields = parse_fields((package / ".SRCINFO").read_bytes())
        repository = self._folder / f"{fields.pkgbase}.git"
        if not repository.exists():
            self._git("init", "--quiet", "--bare", "--initial-branch=master", str(repository))
        inside = ("--git-dir", str(repository))
        self._git(*inside, "--work-tree", str(package), "add", "--all", "--", ".", ":(exclude).CI")
        tree = self._git(*inside, "write-tree")
        commit = self._git(*inside, "commit-tree", tree, "-m", f"update to {fields.version}")
        self._git(*inside, "update-ref", _BRANCH, commit)
        for name in fields.pkgnames:
            self._records[name] = {
                "Name": name,
                "PackageBase": fields.pkgbase,
                "Version": fields.version,
                "Maintainer": "somebody",
                "LastModified": int(time.time()),
                "OutOfDate": None,
            }
        return fields.version

    def serve(self) -> None:
        """Answer until `close`."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """End `serve`."""
        self._server.shutdown()
        self._server.server_close()

    def _git(self, *arguments: str) -> str:
        done = run(["git", *arguments], cwd=self._folder, environment=git_environment(self._made))
        return done.stdout.decode().strip()


def _handler_for(records: dict[str, dict[str, object]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            form = parse_qs(self.rfile.read(min(size, _MAX_FORM)).decode(errors="replace"))
            found = [records[name] for name in form.get("arg[]", ()) if name in records]
            answer = {
                "version": 5,
                "type": "multiinfo",
                "resultcount": len(found),
                "results": found,
            }
            body = json.dumps(answer).encode()
            self.send_response(200 if self.path == "/rpc" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    return Handler


@contextmanager
def local_aur(made: DemoFolders) -> Iterator[LocalAur]:
    """Provide an AUR without packages, which answers until the block ends."""
    aur = LocalAur(made)
    thread = threading.Thread(target=aur.serve, daemon=True)
    thread.start()
    try:
        yield aur
    finally:
        aur.close()
        thread.join()
