"""Publishing targets of every kind on this machine, and what readers find there."""

from __future__ import annotations

import functools
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from caur_ci.process import run
from scheduler.hosting.opening import Surroundings, open_target
from scheduler.hosting.releases import ReleaseTarget
from tests.support.release_server import REPOSITORY, TOKEN, ReleaseServer, release_server
from tests.support.sshd import private_ssh, ssh_server
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack
    from pathlib import Path

    import pytest

    from scheduler.hosting.protocol import PublishingTarget

BUCKET = "packages"
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(kw_only=True)
class Place:
    """A target by its address, and how to look at it: what is there as readers see it.

    `environ` and `secrets` are variables that belong to it, `server` is what readers' pacman.conf
    has for it.
    """

    address: str
    read: Callable[[str], bytes | None]
    server: str
    environ: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    releases: ReleaseServer | None = None

    def open(self) -> PublishingTarget:
        """Return the target anew, as another process has it."""
        if self.releases is not None:
            url = self.releases.url
            # As at GitHub, but without its pauses.
            return ReleaseTarget(
                REPOSITORY, TOKEN, api=f"{url}/api/v3", server=url, pauses=(0.0, 0.0)
            )
        return open_target(self.address, Surroundings(self.environ, self.secrets))

    @functools.cached_property
    def target(self) -> PublishingTarget:
        """The target."""
        return self.open()


def open_place(
    kind: str, tmp_path: Path, patch: pytest.MonkeyPatch, stack: ExitStack, *, s3_url: str = ""
) -> Place:
    """Return an empty target, which is there until `stack` ends.

    `s3_url` is a server that speaks S3, for a target of that kind.
    """
    if kind == "folder":
        return _folder(tmp_path / "hosted")
    if kind == "rsync":
        return _rsync(tmp_path, patch, stack)
    if kind == "s3":
        return _s3(s3_url, tmp_path.name, patch)
    return _releases(stack) if kind == "releases" else _pages(tmp_path / "pages.git")


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a server that speaks S3, and return its URL; buckets are made as they are needed."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def _folder(root: Path) -> Place:
    return Place(address=str(root), read=_reader(root), server=f"file://{root}/$repo/$arch")


def _rsync(tmp_path: Path, patch: pytest.MonkeyPatch, stack: ExitStack) -> Place:
    need_tools("rsync")
    server = stack.enter_context(ssh_server(tmp_path / "sshd"))
    private_ssh(tmp_path / "bin")
    patch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    root = tmp_path / "hosted"
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(server.known_hosts_line)
    root.mkdir()
    url = stack.enter_context(_web_server(root))
    return Place(
        address=f"ssh://{server.user}@127.0.0.1:{server.port}{root}",
        read=_reader(root),
        server=f"{url}/$repo/$arch",
        environ={"PUBLISH_SSH_KNOWN_HOSTS": str(known_hosts)},
        secrets={"PUBLISH_SSH_KEY": server.key.read_text()},
    )


def _s3(url: str, prefix: str, patch: pytest.MonkeyPatch) -> Place:
    import boto3  # noqa: PLC0415 - slow to import

    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    keys = {name.lower(): value for name, value in _KEYS.items()}
    client = boto3.client("s3", endpoint_url=url, **keys)
    client.create_bucket(Bucket=BUCKET)
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    client.put_bucket_policy(Bucket=BUCKET, Policy=policy)

    def read(path: str) -> bytes | None:
        try:
            answer = client.get_object(Bucket=BUCKET, Key=f"{prefix}/{path}")
        except client.exceptions.NoSuchKey:
            return None
        content: bytes = answer["Body"].read()
        return content

    return Place(
        address=f"s3://{BUCKET}/{prefix}?endpoint={url}&region=us-east-1",
        read=read,
        server=f"{url}/{BUCKET}/{prefix}/$repo/$arch",
        secrets=_KEYS,
    )


def _releases(stack: ExitStack) -> Place:
    server = stack.enter_context(release_server())

    def read(path: str) -> bytes | None:
        folder, _, name = path.rpartition("/")
        assets = server.releases.get(folder.replace("/", "-"), ())
        return next((asset.content for asset in assets if asset.name == name), None)

    return Place(
        address=f"github-release:{REPOSITORY}",
        read=read,
        server=f"{server.url}/{REPOSITORY}/releases/download/$repo-$arch",
        environ={"GITHUB_API_URL": f"{server.url}/api/v3", "GITHUB_SERVER_URL": server.url},
        secrets={"GITHUB_TOKEN": TOKEN},
        releases=server,
    )


def _pages(remote: Path) -> Place:
    run(["git", "init", "--quiet", "--bare", remote])

    def read(path: str) -> bytes | None:
        shown = run(["git", "-C", remote, "show", f"gh-pages:{path}"], allowed=(0, 128))
        return shown.stdout if shown.returncode == 0 else None

    return Place(address=f"git+file://{remote}", read=read, server="")


def _reader(root: Path) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        file = root / path
        return file.read_bytes() if file.is_file() else None

    return read


@contextmanager
def _web_server(root: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=root))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
