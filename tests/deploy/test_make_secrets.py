"""What `deploy/make-secrets` makes lets the parts in, at real servers, and nobody else."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from redis import exceptions

from scheduler.connection import connect
from scheduler.queue import Queue
from scheduler.queue.library import load_library
from scheduler.workerkeys import AllowedWorkers, SignatureError, WorkerKey
from tests.deploy.conftest import DEPLOY
from tests.support.queue import claimed, job, submit
from tests.support.redis_server import RedisServer, has_functions, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

# As KEDA asks: in a script, because it may be about other kinds of keys too.
LENGTH = (
    "return redis.call(({list = 'llen', none = 'llen'})[redis.call('type', KEYS[1]).ok], KEYS[1])"
)


@pytest.fixture(scope="module")
def server(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if not has_functions():
        pytest.skip("this server has no functions")
    settings = (DEPLOY / "kubernetes" / "redis.conf").read_text(encoding="utf-8").splitlines()
    users = f"aclfile {secrets / 'redis' / 'users.acl'}"
    kept = [line for line in settings if not line.startswith(("#", "aclfile", "dir"))]
    with redis_server(tmp_path_factory.mktemp("redis"), "port {port}", users, *kept) as running:
        yield running


def client(server: RedisServer, secrets: Path, user: str) -> Redis:
    url = (secrets / user / "redis-url").read_text().strip()
    assert url.endswith("@redis.caur-ci.svc:6379")
    return connect(url.replace("redis.caur-ci.svc:6379", f"127.0.0.1:{server.port}"))


def test_builders_are_started_for_what_is_ready(server: RedisServer, secrets: Path) -> None:
    with client(server, secrets, "admin") as admin:
        load_library(admin)
    name, password = ((secrets / "scaler" / part).read_text() for part in ("username", "password"))
    with (
        client(server, secrets, "scheduler") as scheduler,
        client(server, secrets, "builder") as builder,
        connect(f"redis://{name}:{password}@127.0.0.1:{server.port}") as scaler,
    ):
        ready = "{caur}:ready:1"
        assert scaler.eval(LENGTH, 1, ready) == 0
        submit(Queue(scheduler), job("a"), job("b"), job("c", "a"))
        assert scaler.eval(LENGTH, 1, ready) == 2
        claimed(Queue(builder))
        assert scaler.eval(LENGTH, 1, ready) == 1
        Queue(scheduler).promote(["repo/x86_64/b"])
        assert scaler.eval(LENGTH, 1, "{caur}:front:1") == 1
        for words in (["HGETALL", "{caur}:pending"], ["LPOP", ready], ["CONFIG", "GET", "*"]):
            with pytest.raises(exceptions.NoPermissionError):
                scaler.execute_command(*words)


def test_the_pods_of_a_pool_sign_with_one_key_by_their_own_names(secrets: Path) -> None:
    key = WorkerKey.ensure(secrets / "builder" / "worker-key")
    allowed = AllowedWorkers(secrets / "runner" / "allowed_workers")
    signature = key.sign(b"what was built")
    for pod in ("builder-small-abc12-x9z8y", "builder-large-q7q7q-00001"):
        assert allowed.names(pod)
        allowed.check(pod, b"what was built", signature)
    assert not allowed.names("bigbox")
    with pytest.raises(SignatureError):
        allowed.check("bigbox", b"what was built", signature)


def test_nothing_is_for_others_to_read_or_made_twice(secrets: Path) -> None:
    files = [path for path in secrets.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    password = (secrets / "builder" / "redis-url").read_text().split(":")[2].partition("@")[0]
    assert len(password) == 48
    assert password not in (secrets / "redis" / "users.acl").read_text()
    again = subprocess.run(
        [DEPLOY / "make-secrets", secrets, "redis:6379", "landing:2222"],
        capture_output=True,
        check=False,
    )
    assert again.returncode != 0
    assert b"exists" in again.stderr
