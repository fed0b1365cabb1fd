"""The network of the chaos test does the harm that it says."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.chaos.proxy import Proxy
from tests.support.queue import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


class Echo:
    """Answers every message with itself, and remembers what it was told."""

    def __init__(self, listener: socket.socket) -> None:
        self.heard = b""
        self._listener = listener
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(100):
                self.heard += data
                connection.sendall(data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def network(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Proxy, Echo]]:
    folder = tmp_path_factory.mktemp("s")
    monkeypatch.chdir(folder)  # a socket's address has to be short
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("echo")
    listener.listen()
    echo = Echo(listener)
    with Proxy(folder.relative_to(folder) / "echo") as proxy:
        yield proxy, echo
    echo.close()


def connect(proxy: Proxy) -> socket.socket:
    address = urlsplit(proxy.url)
    client = socket.create_connection((address.hostname, address.port or 0), timeout=20)
    client.settimeout(20)
    return client


def test_it_carries_both_ways(network: tuple[Proxy, Echo]) -> None:
    with connect(network[0]) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"


def test_a_cut_ends_what_is_open_and_nothing_else(network: tuple[Proxy, Echo]) -> None:
    proxy, _ = network
    with connect(proxy) as client:
        client.sendall(b"hello")
        client.recv(100)
        proxy.cut()
        assert client.recv(100) == b""
    with connect(proxy) as client:
        client.sendall(b"again")
        assert client.recv(100) == b"again"


def test_who_is_refused_gets_no_answer(network: tuple[Proxy, Echo]) -> None:
    proxy, echo = network
    proxy.is_refusing = True
    with connect(proxy) as client:
        assert client.recv(100) == b""
    assert echo.heard == b""


def test_lost_answers_are_to_words_that_arrived(network: tuple[Proxy, Echo]) -> None:
    proxy, echo = network
    with connect(proxy) as client:
        client.sendall(b"hello")
        client.recv(100)
        proxy.is_deaf = True
        client.sendall(b" there")
        eventually(lambda: echo.heard == b"hello there")
        proxy.cut()
        assert client.recv(100) == b""
