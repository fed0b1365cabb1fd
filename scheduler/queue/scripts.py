"""Runs the Lua scripts."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from scheduler.connection import redis_errors
from scheduler.queue.keys import PREFIX

if TYPE_CHECKING:
    from redis import Redis

# Which parts a script needs besides its own file; Redis has no way for one to load another.
_ORDER = ("common", "order")
_CYCLES = (*_ORDER, "cycles")
_HANDBACK = (*_CYCLES, "handback")
_PARTS: dict[str, tuple[str, ...]] = {
    "submit": _CYCLES,
    "claim": ("common",),
    "renew": ("common",),
    "land": _ORDER,
    "finish": _ORDER,
    "release": _HANDBACK,
    "reap": _HANDBACK,
    "claim_landed": ("common", "removals"),
    "claim_removals": ("common", "removals"),
    "finish_removal": ("common",),
    "snapshot": _ORDER,
    "append_log": (),
}


@cache
def script_text(name: str) -> tuple[str, str]:
    """Return the script `name` with all that it needs, and the hash Redis knows it by."""
    folder = resources.files("scheduler.queue.lua")
    parts = (*_PARTS[name], name)
    text = "\n".join(folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def run_script(
    redis: Redis, name: str, *arguments: str | bytes | float, keys: tuple[str, ...] = (PREFIX,)
) -> Any:  # noqa: ANN401 - what a script answers is its own affair
    """Run the script `name` as one atomic step and return its answer.

    Raises TemporaryError when Redis is out of reach.
    """
    from redis.exceptions import NoScriptError  # noqa: PLC0415 - slow to import

    text, digest = script_text(name)
    with redis_errors():
        try:
            return redis.evalsha(digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return redis.eval(text, len(keys), *keys, *arguments)
