"""How scripts are put together: what no script can forget."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from scheduler.queue import scripts
from scheduler.queue.keys import PREFIX
from tests.support.queue import job, submit
from tests.support.servers import on_one_server

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Queue

_FOLDER = resources.files("scheduler.queue.lua")
_FILES = {path.name.removesuffix(".lua") for path in _FOLDER.iterdir() if path.name[-4:] == ".lua"}
_SCRIPTS = sorted(scripts._PARTS)
_USED_PARTS = {part for parts in scripts._PARTS.values() for part in parts}


def test_every_file_is_a_script_or_a_part_of_one() -> None:
    assert _USED_PARTS | set(_SCRIPTS) == _FILES


@pytest.mark.parametrize("name", _SCRIPTS)
def test_who_may_change_where_jobs_are_ends_by_putting_them_there(name: str) -> None:
    text, _ = scripts.script_text(name)
    last = text.strip().splitlines()[-1]
    assert last.startswith("return settled(") == ("places" in scripts._PARTS[name])
    # No script's own file does it, or has to.
    assert not re.search(r"\bsettled?\(", scripts._file(name))


@on_one_server
@pytest.mark.parametrize("answer", ["'an answer'", "false", "redis.error_reply('TROUBLE it is')"])
def test_what_a_script_changed_is_settled_whatever_it_answers(
    queue: Queue, redis: Redis, answer: str
) -> None:
    lib, app = submit(queue, job("lib"), job("app", "lib")).jobs
    body = f"adjust_need('{app}', -1)\nif true then return {answer} end\nadjust_need('{lib}', 1)"
    text = scripts.assemble(("common", "order", "places"), body)
    if "TROUBLE" in answer:
        with pytest.raises(ResponseError, match="TROUBLE"):
            redis.eval(text, 1, PREFIX)
    else:
        assert redis.eval(text, 1, PREFIX) == (b"an answer" if "an" in answer else None)
    assert [view.job_id for view in queue.snapshot().ready] == [lib, app]


@on_one_server
def test_a_checked_script_does_nothing_for_another_protocol(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a"))
    text = scripts.assemble(("common",), "return call('DEL', P .. 'pending')", is_checked=True)
    with pytest.raises(ResponseError, match="OTHERPROTOCOL"):
        redis.eval(text, 1, PREFIX, "99")
    assert queue.snapshot().total_ready == 1


@on_one_server
@pytest.mark.parametrize("name", sorted(set(_SCRIPTS) - scripts._OPEN))
def test_a_script_does_nothing_while_the_queue_is_closed(
    queue: Queue, redis: Redis, name: str
) -> None:
    submit(queue, job("a"))
    redis.hset("{caur}:intake", mapping={"step": "backup", "touched": "1"})
    before = {key: redis.dump(key) for key in redis.keys("*")}
    text, _ = scripts.script_text(name)
    with pytest.raises(ResponseError, match="CLOSED"):
        redis.eval(text, 1, PREFIX)
    assert {key: redis.dump(key) for key in redis.keys("*")} == before


def test_what_runs_while_the_queue_is_closed_knows_of_no_jobs_or_ends_it() -> None:
    assert {
        *("take_in", "reset", "backup_jobs", "backup_end"),
        *("renew", "append_log", "drop_log"),
    } == scripts._OPEN
