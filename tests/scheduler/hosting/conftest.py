"""Publishing targets of every kind, and a repository to be brought there."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.database.signing import Keyring, Signer
from scheduler.hosting.opening import Surroundings, open_target
from scheduler.hosting.releases import ReleaseTarget
from tests.support.packages import SigningKey, signing_key
from tests.support.release_server import REPOSITORY, TOKEN, ReleaseServer, release_server
from tests.support.shelf import Shelf
from tests.support.sshd import private_ssh, ssh_server
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scheduler.hosting.protocol import PublishingTarget

BUCKET = "packages"
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="session")
def key() -> Iterator[SigningKey]:
    need_tools("gpg", "repo-add", "bsdtar", "zstd")
    with signing_key() as key:
        yield key


@pytest.fixture
def keyring(key: SigningKey) -> Keyring:
    return Keyring(key.home)


@pytest.fixture
def shelf(tmp_path: Path, key: SigningKey) -> Shelf:
    return Shelf(tmp_path, Signer(key.home))


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Return the URL of a server that speaks S3; buckets are made as they are needed."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@dataclass
class Place:
    """A target and how to look at it: what is there as readers see it."""

    target: PublishingTarget
    read: Callable[[str], bytes | None]
    releases: ReleaseServer | None = None


@pytest.fixture(params=["folder", "rsync", "s3", "releases", "pages"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    with ExitStack() as stack:
        yield _PLACES[request.param](request, tmp_path, monkeypatch, stack)


@pytest.fixture(params=["folder", "s3", "releases", "pages"])
def near_place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """Return a place that is asked without a login, which takes a second each time."""
    with ExitStack() as stack:
        yield _PLACES[request.param](request, tmp_path, monkeypatch, stack)


@pytest.fixture
def releases(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    with ExitStack() as stack:
        yield _releases(request, tmp_path, monkeypatch, stack)


def _folder(
    _request: pytest.FixtureRequest, tmp_path: Path, _patch: pytest.MonkeyPatch, _stack: ExitStack
) -> Place:
    root = tmp_path / "hosted"
    return Place(open_target(str(root), Surroundings({}, {})), _reader(root))


def _rsync(
    _request: pytest.FixtureRequest, tmp_path: Path, patch: pytest.MonkeyPatch, stack: ExitStack
) -> Place:
    need_tools("rsync")
    server = stack.enter_context(ssh_server(tmp_path / "sshd"))
    private_ssh(tmp_path / "bin")
    patch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    root = tmp_path / "hosted"
    secrets = {"PUBLISH_SSH_KEY": server.key.read_text()}
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(server.known_hosts_line)
    environ = {"PUBLISH_SSH_KNOWN_HOSTS": str(known_hosts)}
    address = f"ssh://{server.user}@127.0.0.1:{server.port}{root}"
    return Place(open_target(address, Surroundings(environ, secrets)), _reader(root))


def _s3(
    request: pytest.FixtureRequest, tmp_path: Path, patch: pytest.MonkeyPatch, _stack: ExitStack
) -> Place:
    import boto3  # noqa: PLC0415 - slow to import

    url = request.getfixturevalue("s3_url")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    prefix = tmp_path.name
    keys = {name.lower(): value for name, value in _KEYS.items()}
    client = boto3.client("s3", endpoint_url=url, **keys)
    client.create_bucket(Bucket=BUCKET)

    def read(path: str) -> bytes | None:
        try:
            answer = client.get_object(Bucket=BUCKET, Key=f"{prefix}/{path}")
        except client.exceptions.NoSuchKey:
            return None
        content: bytes = answer["Body"].read()
        return content

    address = f"s3://{BUCKET}/{prefix}?endpoint={url}&region=us-east-1"
    return Place(open_target(address, Surroundings({}, _KEYS)), read)


def _releases(
    _request: pytest.FixtureRequest, _path: Path, _patch: pytest.MonkeyPatch, stack: ExitStack
) -> Place:
    server = stack.enter_context(release_server())
    target = ReleaseTarget(
        REPOSITORY, TOKEN, api=f"{server.url}/api/v3", server=server.url, pauses=(0.0, 0.0)
    )

    def read(path: str) -> bytes | None:
        folder, _, name = path.rpartition("/")
        assets = server.releases.get(folder.replace("/", "-"), ())
        return next((asset.content for asset in assets if asset.name == name), None)

    return Place(target, read, server)


def _pages(
    _request: pytest.FixtureRequest, tmp_path: Path, _patch: pytest.MonkeyPatch, _stack: ExitStack
) -> Place:
    remote = tmp_path / "pages.git"
    run(["git", "init", "--quiet", "--bare", remote])

    def read(path: str) -> bytes | None:
        shown = run(["git", "-C", remote, "show", f"gh-pages:{path}"], allowed=(0, 128))
        return shown.stdout if shown.returncode == 0 else None

    return Place(open_target(f"git+file://{remote}", Surroundings({}, {})), read)


_PLACES = {
    "folder": _folder,
    "rsync": _rsync,
    "s3": _s3,
    "releases": _releases,
    "pages": _pages,
}


def _reader(root: Path) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        file = root / path
        return file.read_bytes() if file.is_file() else None

    return read
