"""Servers at a distance: a TCP proxy on loopback through which everything takes its time."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from typing import Self

_CHUNK = 1 << 18


class FarAway:
    """Forwards connections to a port of this machine, each way `delay` seconds later.

    As over a long line, what is sent in a row arrives in a row: only the first byte waits.
    """

    def __init__(self, port: int, *, delay: float) -> None:
        self._target = port
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        time.sleep(2 * self._delay)  # the handshake
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            steps = [*self._carry(near, far), *self._carry(far, near)]
            for step in steps:
                step.start()
            for step in steps:
                step.join()

    def _carry(self, source: socket.socket, target: socket.socket) -> list[threading.Thread]:
        line: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def take() -> None:
            data = b"?"
            while data:
                try:
                    data = source.recv(_CHUNK)
                except OSError:
                    data = b""
                line.put((time.monotonic() + self._delay, data))

        def give() -> None:
            data = b"?"
            while data:
                due, data = line.get()
                time.sleep(max(0.0, due - time.monotonic()))
                with contextlib.suppress(OSError):
                    if data:
                        target.sendall(data)
                    else:
                        target.shutdown(socket.SHUT_WR)

        return [threading.Thread(target=step, daemon=True) for step in (take, give)]
