"""The scripts as a library of functions, for users that may send no scripts of their own."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, cast

from caur_ci.errors import CaurError
from scheduler.connection import redis_errors
from scheduler.queue.scripts import script_names, script_text

if TYPE_CHECKING:
    from redis import Redis

_NAME = "caur_"


def function_name(script: str) -> str:
    """Return the name of the function that is the script `script` of this version."""
    return f"{_library()[0]}_{script}"


def load_library(redis: Redis) -> str:
    """Load the functions of this version into the server, and return the library's name.

    Those of other versions stay, see `other_libraries`. It needs the right to FUNCTION.
    Raises TemporaryError when Redis is out of reach, CaurError where it has no functions.
    """
    from redis.exceptions import ResponseError  # noqa: PLC0415 - slow to import

    name, text = _library()
    with redis_errors():
        try:
            redis.function_load(text, replace=True)
        except ResponseError as error:
            if "unknown command" not in str(error).lower():
                raise
            raise CaurError(
                "this Redis server has no functions",
                hint="They came with Redis 7; before that, users need EVAL and EVALSHA.",
            ) from error
    return name


def other_libraries(redis: Redis) -> list[str]:
    """Return the libraries of other versions that are loaded."""
    with redis_errors():
        answer = cast("list[list[bytes]]", redis.function_list(f"{_NAME}*"))
    names = {dict(zip(*[iter(each)] * 2, strict=True))[b"library_name"].decode() for each in answer}
    return sorted(names - {_library()[0]})


def unload_library(redis: Redis, name: str) -> None:
    """Take a library out of the server: programs of its version can do nothing any more."""
    with redis_errors():
        redis.function_delete(name)


@cache
def _library() -> tuple[str, str]:
    """Return name and text; each script is the whole body of a function."""
    texts = {script: script_text(script)[0] for script in script_names()}
    digest = hashlib.sha256("".join(texts.values()).encode()).hexdigest()[:12]
    name = f"{_NAME}{digest}"
    functions = (
        f"redis.register_function('{name}_{script}', function(KEYS, ARGV)\n{text}end)\n"
        for script, text in texts.items()
    )
    return name, f"#!lua name={name}\n{''.join(functions)}"
