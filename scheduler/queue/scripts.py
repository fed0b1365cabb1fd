"""Runs the Lua scripts."""

from __future__ import annotations

import hashlib
import time
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
_REQUEST = (*_CHANGE, "admission", "canceling")
_VIEW = (*_ORDER, "viewing")
_REMOVALS = ("common", "removals")
_PARTS: dict[str, tuple[str, ...]] = {
    "submit": (*_REQUEST, "requests"),
    "submit_staged": (*_REQUEST, "requests", "intake"),
    "take_in": (*_REQUEST, "requests", "intake", "restoring"),
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
    "reset": (*_ORDER, "intake"),
    "restore": (*_ORDER, "intake"),
    # Looks that only make sense of one instant, or that follow dependencies step by step: from
    # outside each step would be a round trip, and jobs would move in between.
    "snapshot": _VIEW,
    "explain": (*_VIEW, "targets"),
    "backup": (*_ORDER, "copying"),
    "backup_jobs": (*_ORDER, "copying"),
    "backup_end": ("common",),
    "open": ("common",),
    "append_log": (),
}
# Scripts whose first argument is the protocol of the caller; `claim` and `claim_landed` check it
# together with what else they have to look at first.
_CHECKED = frozenset(
    {"submit", "submit_staged", "claim_removals", "settle_held", "retry", "restore"}
)
# Scripts that also run while something is taken in a part at a time, because they are what does so,
# end it, or have nothing to do with which jobs there are.
_OPEN = frozenset({"take_in", "reset", "backup_jobs", "backup_end", "renew", "append_log"})

# Seconds until a script is tried again where the queue is closed; each time twice as many.
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.5
# As many as keep others waiting for some ten milliseconds.
_JOBS_AT_ONCE = 300


@cache
def script_text(name: str) -> tuple[str, str]:
    """Return the script `name` with all that it needs, and the hash Redis knows it by."""
    text = assemble(_PARTS[name], _file(name), is_checked=name in _CHECKED, is_open=name in _OPEN)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def assemble(
    parts: tuple[str, ...], body: str, *, is_checked: bool = False, is_open: bool = False
) -> str:
    """Return a script that runs `body` after its parts.

    With `is_checked` it is refused where the queue follows another protocol, without `is_open`
    while the queue is closed. Whatever the body did, jobs that changed are put where they belong
    afterwards: no script can forget it.
    """
    call = "other_protocol(ARGV[1]) or main()" if is_checked else "main()"
    call = call if is_open else f"closed() or {call}"
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

    Waits while the queue is closed, and goes on with what is being taken in if nobody else does.
    Raises TemporaryError when Redis is out of reach, ProtocolError when the queue is another's.
    """
    wait = _FIRST_WAIT
    while True:
        try:
            return _run_once(redis, name, arguments, keys)
        except _ClosedError as closed:
            if closed.way_out:
                complete(redis, closed.way_out)
            else:
                time.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)


def complete(redis: Redis, name: str) -> int:
    """Run `take_in` or `reset` until all is done, and return how many jobs it was about.

    Others come in between, but wait for it.
    """
    more = True
    while more:
        more, jobs = run_script(redis, name, _JOBS_AT_ONCE)
    return int(jobs)


class _ClosedError(Exception):
    """The queue is closed; `way_out` is the script to go on with where nobody else does."""

    def __init__(self, way_out: str) -> None:
        super().__init__(way_out)
        self.way_out = way_out


def _run_once(
    redis: Redis, name: str, arguments: tuple[str | bytes | float, ...], keys: tuple[str, ...]
) -> Any:  # noqa: ANN401 - see run_script
    from redis.exceptions import NoScriptError, ResponseError  # noqa: PLC0415 - slow to import

    text, digest = script_text(name)
    with redis_errors():
        try:
            return redis.evalsha(digest, len(keys), *keys, *arguments)
        except NoScriptError:
            pass
        except ResponseError as error:
            _check_answer(str(error))
            raise
        try:
            return redis.eval(text, len(keys), *keys, *arguments)
        except ResponseError as error:
            _check_answer(str(error))
            raise


def _check_answer(answer: str) -> None:
    """Raise what an error means that scripts answer with by intent."""
    code, _, detail = answer.partition(" ")
    if code == "CLOSED":
        raise _ClosedError(detail)
    if code != "OTHERPROTOCOL":
        return
    older = "this program" if int(detail) > PROTOCOL else "the program that the queue is used by"
    raise ProtocolError(
        f"the queue follows protocol {detail}, this program protocol {PROTOCOL}",
        hint=f"Update {older}; both have to be of versions of caur-ci that agree.",
    )
