"""A network that can be cut: a TCP proxy in front of the server's socket."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class _Connection:
    client: socket.socket
    server: socket.socket

    def cut(self) -> None:
        for end in (self.client, self.server):
            # Closing alone would not wake the threads that read from it.
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Forwards connections on a loopback port to a unix socket, from `with` to its end.

    While `is_refusing`, new connections end at once. `delay` seconds pass before anything is
    forwarded. While `is_deaf`, the server is told everything, and its answers get lost.
    """

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        self.is_refusing = False
        self.is_deaf = False
        self.delay = 0.0
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._is_closed = False
        self._thread = threading.Thread(target=self._accept, name="proxy", daemon=True)

    def cut(self) -> None:
        """End all connections."""
        with self._lock:
            for connection in self._connections:
                connection.cut()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed = True
        # Wakes the thread, which waits for somebody to connect.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = None if self.is_refusing else self._connect()
            if server is None:
                client.close()
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=self._serve, args=(_Connection(client, server),), daemon=True
            ).start()

    def _connect(self) -> socket.socket | None:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            server.connect(self._target)
        except OSError:
            server.close()
            return None
        return server

    def _serve(self, connection: _Connection) -> None:
        with self._lock:
            self._connections.add(connection)
        back = threading.Thread(target=self._answers, args=(connection,), daemon=True)
        back.start()
        self._forward(connection.client, connection.server, may_lose=False)
        connection.cut()
        back.join()
        with self._lock:
            self._connections.discard(connection)
        connection.client.close()
        connection.server.close()

    def _answers(self, connection: _Connection) -> None:
        self._forward(connection.server, connection.client, may_lose=True)
        connection.cut()

    def _forward(self, source: socket.socket, target: socket.socket, *, may_lose: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if self.delay:
                    time.sleep(self.delay)
                if not (may_lose and self.is_deaf):
                    target.sendall(data)
