"""A Redis server of our own to measure on, empty, and gone afterwards."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler import embedded
from scheduler.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@dataclass(frozen=True, slots=True)
class Server:
    """The address of a server, and a client of it."""

    url: str
    client: Redis

    @property
    def version(self) -> str:
        """Name and version of the program."""
        info = self.client.info("server")
        name = "Valkey" if info.get("server_name") == "valkey" else "Redis"
        return f"{name} {info.get('valkey_version') or info['redis_version']}"

    def write_to_disk(self, how: str) -> None:
        """Set whether the disk has every change before it is answered (`always`), or within a
        second (`everysec`)."""
        self.client.config_set("appendfsync", how)


@contextmanager
def private_server() -> Iterator[Server]:
    """Start an embedded server, and end it."""
    with tempfile.TemporaryDirectory(prefix="caur-bench-") as folder:
        state_dir = Path(folder)
        url = embedded.ensure(state_dir)
        try:
            with connect(url) as client:
                yield Server(url, client)
        finally:
            embedded.stop(state_dir)
