"""The SSH tunnel to Redis, through a real sshd on loopback."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from caur_ci.errors import CaurError, ConfigError, ProcessError, TemporaryError
from scheduler.connection import connect
from scheduler.job import Outcome
from scheduler.queue import Queue
from scheduler.tunnel import place
from tests.support.queue import Background, claimed, eventually, job, submit, worker
from tests.support.redis_server import RedisServer, redis_server
from tests.support.sshd import SshServer, descendants, make_key, private_ssh, ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

PASSWORD = "pass/word"


@dataclass
class World:
    """A Redis behind an SSH host, and the ssh that a caller has."""

    sshd: SshServer
    redis: RedisServer
    folder: Path
    known_hosts: Path

    def environ(self, **others: str) -> dict[str, str]:
        return {
            "REDIS_SSH_HOST": "127.0.0.1",
            "REDIS_SSH_PORT": str(self.sshd.port),
            "REDIS_SSH_USER": self.sshd.user,
            "REDIS_PORT": str(self.redis.port),
            **others,
        }

    def connect(self, *, key: str | None = None, **others: str) -> Redis:
        """Connect as somebody who has the user's key, unless `key` says otherwise."""
        secrets = {
            "REDIS_PASSWORD": PASSWORD,
            "REDIS_SSH_KEY": str(self.sshd.key) if key is None else key,
        }
        return connect(secrets=secrets, environ=self.environ(**others))

    def know_host(self) -> None:
        self.known_hosts.write_text(self.sshd.known_hosts_line)


@pytest.fixture
def world(
    servers: tuple[SshServer, RedisServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    folder = tmp_path / "ssh"
    known_hosts = private_ssh(folder)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return World(*servers, folder, known_hosts)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SshServer, RedisServer]]:
    folder = tmp_path_factory.mktemp("tunnel")
    with (
        ssh_server(folder / "sshd") as sshd,
        redis_server(folder / "redis", "port {port}", f"requirepass {PASSWORD}") as redis,
    ):
        yield sshd, redis


def _socket(client: Redis) -> Path:
    return Path(unquote(client.connection_pool.connection_kwargs["path"]))


def _is_alive(pid: int) -> bool:
    statm = Path(f"/proc/{pid}/statm")
    return statm.exists() and not statm.read_text().startswith("0 ")


def _ssh_of(parent: int) -> list[int]:
    return [
        pid
        for pid in descendants(parent)
        if (name := Path(f"/proc/{pid}/comm")).exists() and name.read_text() == "ssh\n"
    ]


def test_the_queue_works_through_it(world: World) -> None:
    world.know_host()
    with world.connect() as client:
        queue = Queue(client)
        submit(queue, job("b", "a"), job("a"))
        claim = claimed(queue)
        queue.finish(claim, Outcome.SUCCESS)
        assert claim.spec.pkgbase == "a"
        assert claimed(queue).spec.pkgbase == "b"
        client.flushall()


def test_nobody_else_on_the_machine_can_use_it_and_closing_removes_it(world: World) -> None:
    world.know_host()
    with world.connect() as client:
        near_end = _socket(client)
        assert stat.S_IMODE(near_end.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(near_end.stat().st_mode) == 0o600
        (ssh,) = _ssh_of(os.getpid())
        assert os.getsid(ssh) != os.getsid(0)  # a Ctrl-C for us is none for it
        words = Path(f"/proc/{ssh}/cmdline").read_text() + Path(f"/proc/{ssh}/environ").read_text()
        assert PASSWORD not in words
    assert not near_end.parent.exists()
    assert _ssh_of(os.getpid()) == []


def test_a_host_with_another_key_than_the_known_one_is_refused(
    world: World, tmp_path: Path
) -> None:
    make_key(tmp_path / "other")
    kind, key, *_ = (tmp_path / "other.pub").read_text().split()
    world.known_hosts.write_text(f"[127.0.0.1]:{world.sshd.port} {kind} {key}\n")
    with pytest.raises(CaurError, match="another host key than the one known") as caught:
        world.connect()
    assert not isinstance(caught.value, TemporaryError)
    assert _ssh_of(os.getpid()) == []


@pytest.mark.parametrize(
    "config",
    ["", "StrictHostKeyChecking no\n", "NoHostAuthenticationForLocalhost yes\nCheckHostIP no\n"],
)
def test_an_unknown_host_is_refused_whatever_the_users_settings_say(
    world: World, config: str
) -> None:
    private_ssh(world.folder, config)
    with pytest.raises(CaurError, match=r"host key of the SSH host 127\.0\.0\.1 is not known") as e:
        world.connect()
    assert "REDIS_SSH_HOST_FINGERPRINT" in e.value.hint
    assert world.known_hosts.read_text() == ""


def test_a_fingerprint_is_enough_to_know_a_host(world: World) -> None:
    other = "SHA256:" + "A" * 43
    with world.connect(REDIS_SSH_HOST_FINGERPRINT=f"{other} {world.sshd.fingerprint}") as client:
        assert client.ping()
    assert world.known_hosts.read_text() == ""


def test_a_host_with_another_fingerprint_is_refused_although_it_is_known(world: World) -> None:
    world.know_host()
    with pytest.raises(CaurError, match="is not the one given") as caught:
        world.connect(REDIS_SSH_HOST_FINGERPRINT="SHA256:" + "A" * 43)
    assert world.sshd.fingerprint in caught.value.message
    assert not isinstance(caught.value, TemporaryError)


def test_the_key_itself_may_be_given_and_touches_no_disk(world: World) -> None:
    world.know_host()
    text = world.sshd.key.read_text().replace("\n", "\r\n").strip()
    with world.connect(key=text) as client:
        assert client.ping()
        names = {path.name for path in _socket(client).parent.iterdir()}
    assert names == {"lock", "redis.sock"}


def test_a_user_without_the_right_key_is_told_so(world: World, tmp_path: Path) -> None:
    world.know_host()
    make_key(tmp_path / "strange")
    for key in ("", str(tmp_path / "strange"), (tmp_path / "strange").read_text()):
        with pytest.raises(CaurError, match="does not let us in") as caught:
            world.connect(key=key)
        assert "REDIS_SSH_KEY" in caught.value.hint
        assert not isinstance(caught.value, TemporaryError)


def test_an_account_that_may_do_nothing_else_is_enough(world: World) -> None:
    world.know_host()
    accounts = world.sshd.folder / "authorized_keys"
    before = accounts.read_text()
    permitted = f'restrict,port-forwarding,permitopen="127.0.0.1:{world.redis.port}"'
    accounts.write_text(f"{permitted} {before}")
    try:
        with world.connect() as client:
            assert client.ping()
        with pytest.raises(TemporaryError, match="administratively prohibited"):
            world.connect(REDIS_PORT=str(world.sshd.port))
    finally:
        accounts.write_text(before)


def test_a_key_that_is_no_file_is_an_error_before_anything_is_sent(world: World) -> None:
    with pytest.raises(ConfigError, match="REDIS_SSH_KEY is neither"):
        world.connect(key="/nowhere/key")


def test_a_connection_that_is_cut_comes_back_and_only_takes_longer(world: World) -> None:
    world.know_host()
    with world.connect() as client:
        queue = Queue(client)
        for number in range(3):
            world.sshd.cut()
            submit(queue, job(f"package{number}"))
        assert queue.snapshot().total_ready == 3
        client.flushall()


def test_a_worker_that_waits_for_work_does_not_notice_a_cut(world: World) -> None:
    world.know_host()
    direct = f"redis://:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{world.redis.port}"
    with world.connect() as client, connect(direct) as other:
        waiting = Background(lambda: Queue(client).claim(worker(), wait=15))
        eventually(lambda: bool(Queue(other).snapshot().workers))
        world.sshd.cut()
        submit(Queue(other), job("a"))
        assert waiting.result().spec.pkgbase == "a"
        other.flushall()


def test_an_ssh_host_that_was_restarted_is_connected_to_again(world: World) -> None:
    world.know_host()
    with world.connect() as client:
        world.sshd.kill()
        world.sshd.start()
        assert client.ping()


def test_a_host_that_comes_back_with_another_key_is_not_trusted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.connection.client.PATIENCE", 1.0)
    with world.connect(REDIS_SSH_HOST_FINGERPRINT=world.sshd.fingerprint) as client:
        world.sshd.kill()
        world.sshd.new_host_key()
        world.sshd.start()
        with pytest.raises(TemporaryError):
            Queue(client).snapshot()


def test_it_ends_with_the_process_that_opened_it_even_if_that_is_killed(world: World) -> None:
    world.know_host()
    program = "import sys; from scheduler.connection import connect; c = connect(secrets="
    program += f"{{'REDIS_PASSWORD': {PASSWORD!r}, 'REDIS_SSH_KEY': {str(world.sshd.key)!r}}});"
    program += "print(c.connection_pool.connection_kwargs['path'], flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **world.environ()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        near_end = Path(unquote(process.stdout.readline().strip()))
        (ssh,) = _ssh_of(process.pid)
        assert _is_alive(ssh)
        os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: not _is_alive(ssh))
    # Whoever opens a tunnel next tidies up.
    place.TunnelFolder.create().remove()
    assert not near_end.parent.exists()


def test_a_place_in_use_is_not_tidied_away() -> None:
    first = place.TunnelFolder.create()
    second = place.TunnelFolder.create()
    assert first.folder.is_dir()
    for one in (first, second):
        one.remove()
        assert not one.folder.exists()


def test_a_redis_that_does_not_run_behind_it_is_a_temporary_error(world: World) -> None:
    world.know_host()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(TemporaryError, match="behind the SSH host") as caught:
            world.connect(REDIS_PORT=str(port))
    assert "Connection refused" in caught.value.message
    assert PASSWORD not in caught.value.message


def test_an_ssh_host_that_says_nothing_is_given_up_after_the_time_limit(world: World) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = str(silent.getsockname()[1])
        for others in ({}, {"REDIS_SSH_HOST_FINGERPRINT": "SHA256:" + "A" * 43}):
            with pytest.raises(TemporaryError, match=r"SSH .*127\.0\.0\.1"):
                world.connect(REDIS_SSH_PORT=port, REDIS_SSH_TIMEOUT="1", **others)
    assert _ssh_of(os.getpid()) == []


def test_without_the_program_ssh_the_error_says_what_to_install(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProcessError, match="program ssh was not found") as caught:
        world.connect()
    assert "openssh" in caught.value.hint
