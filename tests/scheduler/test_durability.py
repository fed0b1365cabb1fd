"""Whether a server keeps what it acknowledges is found out from the server itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler import embedded
from scheduler.connection import check_durability, connect
from tests.support.redis_server import redis_server

if TYPE_CHECKING:
    from pathlib import Path

NOT_APPEND_ONLY = "appendonly is off: when it is restarted, jobs are lost"
EVICTS = "maxmemory-policy is allkeys-lru: when memory runs short, it drops jobs"
# One asks for settings, the next may not, and on a hosted server nobody can.
WAYS = {
    "CONFIG": ("user default on nopass ~* &* +@all",),
    "INFO": ("user default on nopass ~* &* +@all -config",),
    "no CONFIG": ("rename-command CONFIG ''",),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("settings", "findings"),
    [
        (("appendonly yes",), []),
        ((), [NOT_APPEND_ONLY]),
        (("appendonly yes", "maxmemory-policy allkeys-lru"), [EVICTS]),
        (("maxmemory-policy allkeys-lru",), [NOT_APPEND_ONLY, EVICTS]),
    ],
)
def test_what_may_lose_jobs_is_found(
    tmp_path: Path, way: str, settings: tuple[str, ...], findings: list[str]
) -> None:
    with redis_server(tmp_path / "redis", "port {port}", *WAYS[way], *settings) as server:
        assert check_durability(connect(f"redis://127.0.0.1:{server.port}")) == findings


def test_a_server_that_tells_nothing_is_no_reassurance(tmp_path: Path) -> None:
    silent = "user default on nopass ~* &* +@all -config -info"
    with redis_server(tmp_path / "redis", "port {port}", silent, "appendonly yes") as server:
        findings = check_durability(connect(f"redis://127.0.0.1:{server.port}"))
    assert findings == [
        "it does not tell whether appendonly is on",
        "it does not tell its maxmemory-policy",
    ]


def test_the_embedded_server_is_durable(tmp_path: Path) -> None:
    try:
        assert check_durability(connect(state_dir=tmp_path)) == []
    finally:
        embedded.stop(tmp_path)
