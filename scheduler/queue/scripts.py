"""Runs the Lua scripts."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from scheduler.connection import redis_errors
from scheduler.queue.keys import PREFIX
from scheduler.queue.model import PROTOCOL, ProtocolError

if TYPE_CHECKING:
    from redis import Redis

# Which parts a script needs besides its own file; Redis has no way for one to load another.
_ORDER = ("common", "order")
_PLACES = (*_ORDER, "places")
_CHANGE = (*_PLACES, "cycles", "ending")
_VIEW = (*_ORDER, "viewing")
_REMOVALS = ("common", "removals")
_PARTS: dict[str, tuple[str, ...]] = {
    "submit": (*_CHANGE, "admission", "canceling"),
    "claim": _PLACES,
    "renew": ("common",),
    "land": _CHANGE,
    "finish": _CHANGE,
    "release": (*_CHANGE, "handback"),
    "reap": (*_CHANGE, "handback"),
    "claim_landed": _REMOVALS,
    "claim_removals": _REMOVALS,
    "finish_removal": (*_CHANGE, "canceling"),
    "hold_removal": _REMOVALS,
    "settle_held": _REMOVALS,
    "leave": ("common",),
    "register": ("common",),
    "cancel": (*_CHANGE, "targets", "canceling"),
    "retry": (*_CHANGE, "targets", "admission"),
    "promote": (*_PLACES, "viewing", "targets"),
    "proceed": (*_CHANGE, "targets"),
    "pause": ("common",),
    "resume": ("common",),
    "drain": ("common",),
    "reset": _ORDER,
    "restore": (*_CHANGE, "admission"),
    # Looks that only make sense of one instant, or that follow dependencies step by step: from
    # outside each step would be a round trip, and jobs would move in between.
    "snapshot": _VIEW,
    "explain": (*_VIEW, "targets"),
    "backup": _ORDER,
    "append_log": (),
}
# Scripts whose first argument is the protocol of the caller; `claim` and `claim_landed` check it
# together with what else they have to look at first.
_CHECKED = frozenset({"submit", "claim_removals", "settle_held", "retry", "restore"})


@cache
def script_text(name: str) -> tuple[str, str]:
    """Return the script `name` with all that it needs, and the hash Redis knows it by."""
    text = assemble(_PARTS[name], _file(name), is_checked=name in _CHECKED)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def assemble(parts: tuple[str, ...], body: str, *, is_checked: bool = False) -> str:
    """Return a script that runs `body` after its parts.

    With `is_checked` it is refused where the queue follows another protocol. Whatever the body did,
    jobs that changed are put where they belong afterwards: no script can forget it.
    """
    call = "other_protocol(ARGV[1]) or main()" if is_checked else "main()"
    end = f"settled({call})" if "places" in parts else call
    main = f"local function main()\n{body}\nend"
    return "\n".join([*map(_file, parts), main, f"return {end}\n"])


def _file(name: str) -> str:
    folder = resources.files("scheduler.queue.lua")
    return folder.joinpath(f"{name}.lua").read_text(encoding="utf-8")


def run_script(
    redis: Redis, name: str, *arguments: str | bytes | float, keys: tuple[str, ...] = (PREFIX,)
) -> Any:  # noqa: ANN401 - what a script answers is its own affair
    """Run the script `name` as one atomic step and return its answer.

    Raises TemporaryError when Redis is out of reach, ProtocolError when the queue is another's.
    """
    from redis.exceptions import NoScriptError, ResponseError  # noqa: PLC0415 - slow to import

    text, digest = script_text(name)
    with redis_errors():
        try:
            return redis.evalsha(digest, len(keys), *keys, *arguments)
        except NoScriptError:
            pass
        except ResponseError as error:
            _check_protocol(str(error))
            raise
        try:
            return redis.eval(text, len(keys), *keys, *arguments)
        except ResponseError as error:
            _check_protocol(str(error))
            raise


def _check_protocol(answer: str) -> None:
    code, _, theirs = answer.partition(" ")
    if code != "OTHERPROTOCOL":
        return
    older = "this program" if int(theirs) > PROTOCOL else "the program that the queue is used by"
    raise ProtocolError(
        f"the queue follows protocol {theirs}, this program protocol {PROTOCOL}",
        hint=f"Update {older}; both have to be of versions of caur-ci that agree.",
    )
