"""A network in which connections break, or go dead, after so many bytes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

_CHUNK = 1 << 16


class Bottleneck:
    """Forwards connections on a loopback port to another one, from `with` to its end.

    What a client sends on one connection beyond `limit` bytes does not get through: the connection
    ends, or with `is_silent` just hangs.
    """

    def __init__(self, target: int, *, limit: int | None) -> None:
        self.limit = limit
        self.is_silent = False
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._sockets):
            _end(each)
        for thread in self._threads:
            thread.join()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._sockets += [client, server]
            self._start(self._forward, client, server, True)
            self._start(self._forward, server, client, False)

    def _forward(self, source: socket.socket, target: socket.socket, is_limited: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                passed += len(data)
                if is_limited and self.limit is not None and passed > self.limit:
                    if self.is_silent:
                        continue
                    break
                target.sendall(data)
        _end(source)
        _end(target)


def _end(each: socket.socket) -> None:
    # Closing alone would not wake the threads that read from it.
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
