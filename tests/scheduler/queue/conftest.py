"""A queue that hands out again at once what was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.queue import Backoff, Queue

if TYPE_CHECKING:
    from redis import Redis


@pytest.fixture
def queue(redis: Redis) -> Queue:
    """Return a queue without jobs."""
    return Queue(redis, backoff=Backoff(first=0))
