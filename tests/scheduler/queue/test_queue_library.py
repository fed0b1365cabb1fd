"""The scripts as functions in the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from caur_ci.errors import CaurError
from scheduler.queue import library
from scheduler.queue.scripts import script_names
from tests.support.servers import has_functions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

_FOREIGN = "#!lua name={}\nredis.register_function('{}', function() return 1 end)"


@pytest.fixture
def loaded(redis: Redis) -> Iterator[str]:
    """Load the library, and take all out again in the end."""
    if not has_functions(redis):
        pytest.skip("this server has no functions")
    yield library.load_library(redis)
    redis.function_flush()


def test_every_script_is_a_function(redis: Redis, loaded: str) -> None:
    (answer,) = cast("list[list[object]]", redis.function_list(loaded))
    functions = cast("list[list[bytes]]", answer[answer.index(b"functions") + 1])
    names = {function[1].decode() for function in functions}
    assert names == {library.function_name(name) for name in script_names()}
    assert library.function_name("claim") == f"{loaded}_claim"


def test_loading_it_again_changes_nothing(redis: Redis, loaded: str) -> None:
    assert library.load_library(redis) == loaded
    assert len(cast("list[object]", redis.function_list())) == 1


def test_only_ours_of_other_versions_are_told_and_taken_out(redis: Redis, loaded: str) -> None:
    for name in ("caur_0123456789ab", "somebodys"):
        redis.function_load(_FOREIGN.format(name, name))
    assert library.other_libraries(redis) == ["caur_0123456789ab"]
    library.unload_library(redis, "caur_0123456789ab")
    assert library.other_libraries(redis) == []
    assert len(cast("list[object]", redis.function_list())) == 2
    assert loaded


def test_a_server_without_functions_says_so(redis: Redis) -> None:
    if has_functions(redis):
        pytest.skip("this server has functions")
    with pytest.raises(CaurError, match="has no functions"):
        library.load_library(redis)
