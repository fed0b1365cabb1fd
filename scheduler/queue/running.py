"""Runs the Lua scripts: as scripts, or as functions where the user may send no scripts."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from caur_ci.errors import TemporaryError
from scheduler.connection import redis_errors
from scheduler.queue.errors import ProtocolError
from scheduler.queue.keys import PREFIX
from scheduler.queue.library import function_name
from scheduler.queue.model import PROTOCOL
from scheduler.queue.scripts import script_text

if TYPE_CHECKING:
    from redis import Redis

# Seconds until a script is tried again where the queue is closed; each time twice as many.
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.5
# As many as keep others waiting for some ten milliseconds.
_JOBS_AT_ONCE = 300

# Clients whose user may run functions only: a role of docs/redis.md.
_without_eval: WeakSet[Redis] = WeakSet()
_EVAL_REFUSED = re.compile(r"no permissions to run the 'eval(sha)?' command")


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
    from redis.exceptions import NoPermissionError, ResponseError  # noqa: PLC0415 - slow to import

    with redis_errors():
        try:
            if redis in _without_eval:
                return _call_function(redis, name, arguments, keys)
            return _evaluate(redis, name, arguments, keys)
        except NoPermissionError as error:
            if not _EVAL_REFUSED.search(str(error)):
                raise
        except ResponseError as error:
            _check_answer(str(error))
            raise
    _without_eval.add(redis)
    return _run_once(redis, name, arguments, keys)


def _evaluate(
    redis: Redis, name: str, arguments: tuple[str | bytes | float, ...], keys: tuple[str, ...]
) -> Any:  # noqa: ANN401 - see run_script
    from redis.exceptions import NoScriptError  # noqa: PLC0415 - slow to import

    text, digest = script_text(name)
    try:
        return redis.evalsha(digest, len(keys), *keys, *arguments)
    except NoScriptError:
        return redis.eval(text, len(keys), *keys, *arguments)


def _call_function(
    redis: Redis, name: str, arguments: tuple[str | bytes | float, ...], keys: tuple[str, ...]
) -> Any:  # noqa: ANN401 - see run_script
    from redis.exceptions import ResponseError  # noqa: PLC0415 - slow to import

    try:
        return redis.fcall(function_name(name), len(keys), *keys, *arguments)
    except ResponseError as error:
        if "Function not found" not in str(error):
            raise
        raise TemporaryError(
            f"the Redis server lets this user run functions only, and has no {function_name(name)}",
            hint="Load those of this version, as a user who may: `caur-ci redis load`.",
        ) from error


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
