"""The users that docs/redis.md describes, on a real server: what they need and no more."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis import exceptions

from caur_ci.errors import CaurError, TemporaryError
from scheduler.connection import check_durability, connect
from scheduler.job import Outcome, Removal
from scheduler.logs import LogStore
from scheduler.metrics import EventCounter, Metrics, Pipeline, Tallies, tell_of_run
from scheduler.outbox import Outbox
from scheduler.presence import WELCOME, Presence
from scheduler.queue import Queue
from scheduler.queue.library import load_library
from tests.support.queue import Background, claimed, eventually, job, submit, worker
from tests.support.redis_server import RedisServer, has_functions, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

DOCUMENT = Path(__file__).parents[2] / "docs" / "redis.md"
USERS = ("builder", "runner", "scheduler")
_COMMAND = re.compile(r"""call(?:_in_chunks)?\(["']([A-Z]+)["']""")


@pytest.fixture(scope="module", params=["+fcall", "+eval +evalsha"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    if request.param == "+fcall" and not has_functions():
        pytest.skip("this server has no functions")
    folder = tmp_path_factory.mktemp("users")
    lines = [line.strip() for line in DOCUMENT.read_text().splitlines()]
    users = folder / "users.acl"
    text = "".join(f"{line}\n" for line in lines if line.startswith("user "))
    users.write_text(text.replace("+fcall", request.param))
    settings = ("port {port}", f"aclfile {users}", "appendonly yes")
    with redis_server(folder / "redis", *settings) as running:
        yield running


@pytest.fixture
def admin(server: RedisServer) -> Iterator[Redis]:
    with _connect(server, "admin") as client:
        client.flushall()
        if has_functions():
            load_library(client)
        yield client


def _connect(server: RedisServer, user: str) -> Redis:
    environ = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(server.port), "REDIS_USER": user}
    return connect(environ=environ, secrets={"REDIS_PASSWORD": f"CHANGE-{user.upper()}"})


@pytest.mark.usefixtures("admin")
def test_a_change_travels_through_the_hands_of_all_three(server: RedisServer) -> None:
    with (
        _connect(server, "builder") as builder,
        _connect(server, "runner") as runner,
        _connect(server, "scheduler") as scheduler,
    ):
        _greet(Presence(builder), Presence(runner))
        _build(Queue(scheduler), Queue(builder), LogStore(builder))
        _publish(Queue(runner))
        _look(Queue(scheduler), LogStore(scheduler))
        for client in (builder, runner, scheduler):
            assert check_durability(client) == []


def _greet(building: Presence, publishing: Presence) -> None:
    me = worker()
    building.takes_no_jobs(me, "it is not well")
    building.is_well(me)
    publishing.has_looked("runner", publishing.now())
    publishing.answer("0" * 32, WELCOME)
    assert building.knows_runners()
    assert list(building.looking()) == ["runner"]
    assert building.answer_to("0" * 32) == WELCOME


def _build(scheduling: Queue, building: Queue, logs: LogStore) -> None:
    me = worker()
    waiting = Background(lambda: building.claim(me, wait=15))
    eventually(lambda: bool(scheduling.snapshot().workers))
    removal = Removal(target_repo="repo", arch="x86_64", remove=("gone",))
    scheduling.submit("request", [job("a"), job("b", "a"), job("c")], [removal])
    first = waiting.result()
    building.renew(first)
    logs.start(first.job_id, first.attempt, first.identity)
    logs.append(first.job_id, first.attempt, b"line\n")
    logs.finish(first.job_id, first.attempt)
    building.land(first, "delivery")
    building.release(claimed(building, me), "told to stop")
    building.finish(claimed(building, me), Outcome.FAILED, "it does not build")
    building.reap()


def _publish(publishing: Queue) -> None:
    for removal in publishing.claim_removals("runner"):
        publishing.renew(removal)
        publishing.finish_removal(removal, removed=("gone",))
    (landed,) = publishing.claim_landed("runner", wait=5)
    publishing.renew(landed)
    publishing.finish(landed, Outcome.SUCCESS)
    publishing.reap()


def _look(looking: Queue, logs: LogStore) -> None:
    snapshot = looking.snapshot()
    assert {one.outcome for one in snapshot.recent} == {Outcome.SUCCESS, Outcome.FAILED}
    assert looking.job(snapshot.recent[0].job_id) is not None
    assert looking.events(looking.last_event_id(), block=0.05) == []
    assert looking.events()
    latest = logs.latest("repo/x86_64/a")
    assert latest is not None
    assert logs.read_all(*latest) == b"line\n"
    (entry,) = logs.of_package("repo/x86_64/a")
    assert (entry.job_id, entry.attempt) == latest


@pytest.mark.usefixtures("admin")
def test_the_queue_can_be_looked_after_by_the_user_for_it(server: RedisServer) -> None:
    with _connect(server, "scheduler") as client:
        queue = Queue(client)
        submit(queue, job("a"), job("b"), job("c"))
        identity = "repo/x86_64/c"
        assert queue.promote([identity])[0].done
        assert claimed(queue).spec.pkgbase == "c"
        assert queue.cancel(["repo/x86_64/b"], reason="not now")[0].done
        assert queue.retry(["repo/x86_64/b"])[0].done
        assert queue.pause("for a test")
        assert queue.resume()
        assert queue.drain()
        documents = list(queue.backup())
        assert queue.reset() == 3
        assert queue.restore(documents).jobs == 3


@pytest.mark.usefixtures("admin")
def test_those_who_tell_others_need_no_more_than_the_runner(server: RedisServer) -> None:
    with _connect(server, "runner") as client:
        queue = Queue(client)
        outbox = Outbox(client, "test")
        position = outbox.position(queue.last_event_id)
        submit(queue, job("a"))
        assert outbox.write({"a": "1"}, notes={"b": "2"}, after=position, position="2-0")
        assert outbox.hold("me", 60)
        assert outbox.hold("me", 60)
        outbox.take_out(outbox.entries())
        outbox.set_trouble("chat", "x")
        outbox.count("sent")
        outbox.let_go("me")
        tell_of_run(queue, Pipeline.ON_COMMIT, {}, 1.0)
        EventCounter(queue, Tallies(client)).consume(queue.events())
        assert b"caur_queue_up 1.0" in Metrics(queue).render()


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL",
        "FLUSHDB",
        "CONFIG GET *",
        "CONFIG SET appendonly no",
        "KEYS *",
        "SCAN 0",
        "RANDOMKEY",
        "GET foreign",
        "SET foreign x",
        "DEL foreign",
        "FUNCTION LOAD x",
        "FUNCTION FLUSH",
        "FUNCTION KILL",
        "LCS {caur}:a {caur}:b",
        "SORT {caur}:a",
        "SUNIONSTORE {caur}:a {caur}:b",
        "ZUNIONSTORE {caur}:a 1 {caur}:b",
        "EVAL return(redis.call('GET','foreign')) 0",
        "EVAL return(redis.call('FLUSHALL')) 0",
        "SCRIPT FLUSH",
        "ACL LIST",
        "CLIENT LIST",
        "CLIENT KILL TYPE normal",
        "MONITOR",
        "PUBLISH channel x",
        "REPLICAOF localhost 1",
        "SELECT 1",
        "SHUTDOWN NOSAVE",
    ],
)
@pytest.mark.usefixtures("admin")
def test_nobody_gets_more_than_the_queue(server: RedisServer, user: str, command: str) -> None:
    with _connect(server, user) as client, pytest.raises(exceptions.ResponseError) as caught:
        client.execute_command(*command.split())
    # Scripts tell it in words of their own, which differ from version to version.
    assert re.search(
        r"no permissions|NOPERM|can't access|can't run this command", str(caught.value)
    )


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("server", ["+fcall"], indirect=True)
@pytest.mark.usefixtures("admin")
def test_nobody_sends_a_script_that_does_not_end(server: RedisServer, user: str) -> None:
    endless = "while true do end"
    text = f"#!lua name=mine\nredis.register_function('mine', function() {endless} end)"
    with _connect(server, user) as client:
        for command in (
            ("EVAL", endless, "0"),
            ("EVAL_RO", endless, "0"),
            ("SCRIPT LOAD", endless),
            ("FUNCTION LOAD", text),
        ):
            with pytest.raises(exceptions.NoPermissionError):
                client.execute_command(*command)


@pytest.mark.parametrize("server", ["+fcall"], indirect=True)
def test_who_misses_the_functions_of_its_version_waits_and_is_told_the_remedy(
    server: RedisServer, admin: Redis
) -> None:
    admin.function_flush()
    with _connect(server, "builder") as client:
        queue = Queue(client)
        with pytest.raises(TemporaryError, match="has no caur_") as caught:
            queue.claim(worker())
        assert "caur-ci redis load" in caught.value.hint
        load_library(admin)
        assert queue.claim(worker()) is None


def test_every_command_of_every_script_is_granted(admin: Redis) -> None:
    """Also those that only run in rare cases."""
    if int(admin.info("server")["redis_version"].split(".")[0]) < 7:
        pytest.skip("this server has no ACL DRYRUN")
    scripts = resources.files("scheduler.queue.lua")
    texts = [file.read_text() for file in scripts.iterdir() if file.name.endswith(".lua")]
    commands = sorted({name for text in texts for name in _COMMAND.findall(text)})
    assert {"HSET", "XADD", "TIME"} <= set(commands)
    refused = {
        (user, command): answer
        for user in USERS
        for command in commands
        if (answer := _dry_run(admin, user, command)) != b"OK"
    }
    assert refused == {}


def _dry_run(admin: Any, user: str, command: str) -> Any:  # noqa: ANN401 - an answer of Redis
    (about,) = admin.execute_command("COMMAND", "INFO", command).values()
    words = ["{caur}:x"] * (abs(about["arity"]) - 1)
    return admin.execute_command("ACL", "DRYRUN", user, command, *words)


def test_without_a_login_nothing_can_be_done(server: RedisServer) -> None:
    with pytest.raises(CaurError, match="does not let us in"):
        connect(f"redis://127.0.0.1:{server.port}")


def test_a_right_that_is_missing_is_told_with_where_to_read_on(
    server: RedisServer, admin: Redis
) -> None:
    admin.acl_setuser("narrow", enabled=True, nopass=True, commands=["+ping"], keys=["*"])
    with connect(f"redis://narrow:x@127.0.0.1:{server.port}") as client:
        with pytest.raises(CaurError, match="does not let us do this") as caught:
            submit(Queue(client), job("a"))
        assert "docs/redis.md" in caught.value.hint
