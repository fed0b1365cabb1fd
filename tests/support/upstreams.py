"""Upstream repositories of VCS packages on loopback: branches without objects behind them.

They speak git's protocol as far as asking for refs goes (`git_mirror` has real ones), misbehave on
demand, and GitHub's GraphQL API is there beside them, held to its types by a GraphQL engine.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

from caur_ci.update.recording import Live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest, Response
    from requests.adapters import BaseAdapter

    from tests.support.git_mirror import Trouble

_GRAPHQL = "/graphql"
_SCHEMA = """
type Query { repository(owner: String!, name: String!, followRenames: Boolean = true): Repository }
type Repository { defaultBranchRef: Ref ref(qualifiedName: String!): Ref }
type Ref { name: String! target: GitObject }
interface GitObject { oid: String! }
type Commit implements GitObject { oid: String! history: History! }
type History { totalCount: Int! }
"""
TOKEN = "ghp_" + "t" * 36


@dataclass
class Repo:
    """One repository: commits by branch, and how many each has."""

    branches: dict[str, str] = field(default_factory=dict)
    default: str = "main"
    total: int = 1


def commit_id(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Upstreams(ThreadingHTTPServer):
    """Serves `repos` by path; `troubles` say what goes wrong, as in `git_mirror`.

    `knows_v2` tells whether servers know the newer protocol. `moved` leads from one path to another
    place, `limit` makes an answer that never ends that long. `connections` counts those made.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos: dict[str, Repo] = {}
        self.troubles: list[Trouble] = []
        self.moved: dict[str, str] = {}
        self.endless: set[str] = set()
        self.dumb: set[str] = set()
        self.knows_v2 = True
        self.release = threading.Event()
        self.requests: list[tuple[str, str]] = []
        self.queries: list[dict[str, Any]] = []
        self.graphql_status = 200
        self.connections = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def push(self, path: str, branch: str = "main") -> str:
        """Let a branch have a new commit; make the repository where there is none."""
        repo = self.repos.setdefault(path, Repo())
        repo.total += 1
        commit = commit_id(f"{path} {branch} {repo.total}")
        repo.branches[branch] = commit
        return commit

    def asked(self, path: str = "") -> list[str]:
        """Return what was asked, in words: greeting, ls-refs or graphql."""
        return [what for where, what in self.requests if path in where]


class _Handler(BaseHTTPRequestHandler):
    server: Upstreams
    protocol_version = "HTTP/1.1"
    # An answer goes out in one piece, as from servers in earnest.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def do_GET(self) -> None:
        path, _, service = self.path.partition("/info/refs?service=")
        if path in self.server.moved:
            self.server.requests.append((path, "greeting"))
            target = f"{self.server.moved[path]}/info/refs?service={service}"
            self._send(301, b"", "text/plain", target)
        elif not self._misbehaves(path, "greeting"):
            self._greet(self.server.repos.get(path), path)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == _GRAPHQL:
            self._graphql(json.loads(body))
            return
        path = self.path.removesuffix("/git-upload-pack")
        if path in self.server.moved:
            self._send(301, b"", "text/plain", self.server.moved[path])
        elif not self._misbehaves(path, "ls-refs"):
            self._ls_refs(self.server.repos.get(path), body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def _misbehaves(self, path: str, asks: str) -> bool:
        self.server.requests.append((path, asks))
        if path in self.server.endless:
            self._send_without_end()
            return True
        for trouble in self.server.troubles:
            if trouble.path in path and trouble.asks in asks:
                if trouble.hang:
                    self.server.release.wait()
                    self.close_connection = True
                elif trouble.says:
                    self._send(200, _packet(f"ERR {trouble.says}"), _RESULT)
                else:
                    self._send(trouble.status or 200, b"<html>garbage</html>", "text/html")
                return True
        return False

    def _send_without_end(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", _RESULT)
        self.end_headers()
        self.close_connection = True
        line = _packet(f"{'a' * 40} refs/heads/x\n") * 1000
        try:
            while not self.server.release.is_set():
                self.wfile.write(line)
        except OSError:
            return

    def _greet(self, repo: Repo | None, path: str) -> None:
        if repo is None:
            self._send(404, b"", "text/plain")
        elif path in self.server.dumb:
            lines = [f"{commit}\trefs/heads/{name}\n" for name, commit in repo.branches.items()]
            self._send(200, "".join(lines).encode(), "text/plain")
        elif self.server.knows_v2:
            first = _packet("# service=git-upload-pack\n") + b"0000"
            told = [_packet(line) for line in ("version 2\n", "ls-refs=unborn\n", "fetch\n")]
            self._send(200, b"".join((first, *told, b"0000")), _ADVERTISEMENT)
        else:
            self._send(200, _old_advertisement(repo), _ADVERTISEMENT)

    def _ls_refs(self, repo: Repo | None, body: bytes) -> None:
        if repo is None:
            self._send(404, b"", "text/plain")
            return
        if not self.server.knows_v2 or self.headers.get("Git-Protocol") != "version=2":
            self._send(200, b"", _RESULT)
            return
        assert body.startswith(b"0014command=ls-refs\n0001")
        prefixes = [
            line.partition(b"ref-prefix ")[2].decode()
            for line in body.split(b"\n")
            if b"ref-prefix " in line
        ]
        refs = {f"refs/heads/{name}": commit for name, commit in repo.branches.items()}
        lines = []
        if repo.default in repo.branches and "HEAD" in prefixes:
            head = f"refs/heads/{repo.default}"
            lines.append(f"{refs[head]} HEAD symref-target:{head}\n")
        for name, commit in refs.items():
            if any(name.startswith(prefix) for prefix in prefixes):
                lines.append(f"{commit} {name}\n")
        self._send(200, b"".join((*map(_packet, lines), b"0000")), _RESULT)

    def _graphql(self, question: dict[str, Any]) -> None:
        self.server.requests.append((_GRAPHQL, "graphql"))
        self.server.queries.append(question)
        if self.headers["Authorization"] != f"bearer {TOKEN}":
            self._send(401, b'{"message":"Bad credentials"}', "application/json")
        elif self.server.graphql_status != 200:
            self._send(self.server.graphql_status, b"{}", "application/json")
        else:
            answer = _executed(self.server.repos, question)
            self._send(200, json.dumps(answer).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)


_RESULT = "application/x-git-upload-pack-result"
_ADVERTISEMENT = "application/x-git-upload-pack-advertisement"


def _packet(text: str) -> bytes:
    return b"%04x%s" % (len(text) + 4, text.encode())


def _old_advertisement(repo: Repo) -> bytes:
    head = repo.branches.get(repo.default)
    lines = [f"{commit} refs/heads/{name}" for name, commit in sorted(repo.branches.items())]
    if head:
        lines.insert(0, f"{head} HEAD")
    lines = lines or [f"{'0' * 40} capabilities^{{}}"]
    lines[0] += f"\0multi_ack symref=HEAD:refs/heads/{repo.default} agent=git/1.9"
    first = _packet("# service=git-upload-pack\n") + b"0000"
    return b"".join((first, *(_packet(f"{line}\n") for line in lines), b"0000"))


def _executed(repos: dict[str, Repo], question: dict[str, Any]) -> dict[str, Any]:
    """Run a query as GitHub would: what is not valid is refused, what is not there is null."""
    import graphql  # noqa: PLC0415 - the benchmark does without

    def ref(repo: Repo, name: str) -> dict[str, Any] | None:
        commit = repo.branches.get(name)
        if commit is None:
            return None
        target = {"__typename": "Commit", "oid": commit, "history": {"totalCount": repo.total}}
        return {"name": name, "target": target}

    def repository(_info: object, owner: str, name: str, **_: object) -> dict[str, Any]:
        repo = repos.get(f"/{owner}/{name}")
        if repo is None:
            raise graphql.GraphQLError(f"Could not resolve {owner}/{name}")
        return {
            "defaultBranchRef": ref(repo, repo.default),
            "ref": lambda _info, qualifiedName: ref(  # noqa: N803 - GitHub's name
                repo, qualifiedName.removeprefix("refs/heads/")
            ),
        }

    schema = graphql.build_schema(_SCHEMA)
    result = graphql.graphql_sync(
        schema,
        question["query"],
        root_value={"repository": repository},
        variable_values=question["variables"],
    )
    return result.formatted  # type: ignore[return-value]


class WithGitHub(Live):
    """The outside world in which the repositories of `server` are those of GitHub."""

    def __init__(self, server: Upstreams) -> None:
        self._server = server

    @property
    def web_adapter(self) -> BaseAdapter:
        """What leads to the server in place of GitHub."""
        return _ToServer(self._server.url)


class _ToServer(HTTPAdapter):
    def __init__(self, url: str) -> None:
        super().__init__(pool_maxsize=64)
        self._url = url

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        assert request.url is not None
        for host in ("https://github.com", "https://api.github.com"):
            if request.url.startswith(f"{host}/"):
                request.url = self._url + request.url.removeprefix(host)
        assert request.url.startswith("http://127.0.0.1:")
        return super().send(request, *args, **kwargs)


@contextmanager
def upstreams() -> Iterator[Upstreams]:
    """Serve nothing yet, until the block ends."""
    server = Upstreams()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
