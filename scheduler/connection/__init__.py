"""How a Redis server is found and reached, and what its errors mean to us."""

from __future__ import annotations

from scheduler.connection.durability import check_durability
from scheduler.connection.errors import NoServerError, redis_errors
from scheduler.connection.opening import client_of, connect
from scheduler.connection.settings import default_state_dir

__all__ = [
    "NoServerError",
    "check_durability",
    "client_of",
    "connect",
    "default_state_dir",
    "redis_errors",
]
