"""Requests and backups that are taken in a part at a time: nobody sees a half of one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caur_ci.errors import InputError, TemporaryError
from scheduler.job import JobSpec, JobState, OnFailure, OnRunning, Outcome, Removal
from scheduler.logs import LogStore
from scheduler.queue import Queue, running
from scheduler.queue.staging import providers_first
from tests.support.queue import (
    Background,
    build_order,
    claim_all,
    claimed,
    eventually,
    job,
    submit,
    worker,
)
from tests.support.servers import on_one_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from scheduler.queue import Submission

pytestmark = pytest.mark.usefixtures("in_parts")

_A_WHILE_AGO = 1


class _KilledError(Exception):
    """Stands for the end of a process."""


def _die(*_: object) -> None:
    raise _KilledError


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Return what lets somebody begin to have something taken in, and be killed then."""

    def run(act: Callable[[], Any]) -> None:
        with monkeypatch.context() as patch:
            for module in ("submitting", "backup"):
                patch.setattr(f"scheduler.queue.{module}.complete", _die)
            with pytest.raises(_KilledError):
                act()

    return run


def _leave_alone(redis: Redis) -> None:
    """Make it long ago that somebody went on with what is being taken in."""
    assert redis.hexists("{caur}:intake", "touched")
    redis.hset("{caur}:intake", "touched", _A_WHILE_AGO)


def _go_on(redis: Redis, parts: int) -> None:
    for _ in range(parts):
        assert running.run_script(redis, "take_in", 2)[0]


def _chain(length: int) -> list[JobSpec]:
    return [job("p0"), *(job(f"p{number}", f"p{number - 1}") for number in range(1, length))]


class TestNobodySeesAHalf:
    @pytest.mark.parametrize("parts", [0, 1, 4, 7])
    def test_who_comes_goes_on_where_the_submitter_was_killed(
        self, queue: Queue, redis: Redis, dying: Callable[[Callable[[], Any]], None], parts: int
    ) -> None:
        dying(lambda: queue.submit("large", _chain(7)))
        _go_on(redis, parts)
        _leave_alone(redis)
        snapshot = Queue(redis).snapshot()
        assert (snapshot.total_ready, snapshot.total_waiting) == (1, 6)
        assert queue.submit("large", _chain(7)).known
        assert build_order(queue) == [f"p{number}" for number in range(7)]

    @pytest.mark.parametrize(
        "look",
        [
            lambda queue: queue.claim(worker()),
            lambda queue: queue.find("p6"),
            lambda queue: queue.explain("repo/x86_64/p6"),
            lambda queue: list(queue.backup()),
            lambda queue: queue.removals(),
            lambda queue: queue.cancel(["repo/x86_64/p6"]),
            lambda queue: queue.submit("small", [job("small")]),
        ],
    )
    @on_one_server
    def test_others_wait_as_long_as_somebody_goes_on(
        self,
        queue: Queue,
        redis: Redis,
        dying: Callable[[Callable[[], Any]], None],
        look: Callable[[Queue], Any],
    ) -> None:
        removal = Removal(target_repo="repo", remove=("gone",))
        dying(lambda: queue.submit("large", _chain(7), [removal]))
        _go_on(redis, 5)
        future = str(10**15)
        redis.hset("{caur}:intake", "touched", future)
        waiting = Background(lambda: look(queue))
        assert not waiting.ends(within=0.2)
        running.complete(redis, "take_in")
        assert waiting.result()
        assert redis.keys("{caur}:intake*") == []

    @on_one_server
    def test_what_is_held_stays_held_and_logs_go_on(
        self, queue: Queue, redis: Redis, dying: Callable[[Callable[[], Any]], None]
    ) -> None:
        submit(queue, job("a"))
        claim = claimed(queue)
        dying(lambda: queue.submit("large", _chain(7)))
        redis.hset("{caur}:intake", "touched", 10**15)
        assert queue.renew(claim).lease_until >= claim.lease_until
        logs = LogStore(redis)
        logs.start(claim.job_id, claim.attempt, claim.identity)
        logs.append(claim.job_id, claim.attempt, b"line\n")
        assert logs.read_all(claim.job_id, claim.attempt) == b"line\n"

    def test_a_part_is_no_larger_than_it_may_be(
        self, queue: Queue, redis: Redis, dying: Callable[[Callable[[], Any]], None]
    ) -> None:
        dying(lambda: queue.submit("large", _chain(9)))
        added = []
        while True:
            before = redis.xlen("{caur}:events")
            more, _ = running.run_script(redis, "take_in", 2)
            added.append(redis.xlen("{caur}:events") - before)
            if not more:
                break
        assert sum(added) == 9
        assert max(added) == 2

    def test_large_jobs_are_taken_one_by_one(
        self, queue: Queue, redis: Redis, dying: Callable[[Callable[[], Any]], None]
    ) -> None:
        provides = tuple(f"{'x' * 200}{number}" for number in range(1100))
        dying(lambda: queue.submit("large", [job(f"p{n}", provides=provides) for n in range(3)]))
        while redis.xlen("{caur}:events") == 0:
            running.run_script(redis, "take_in", 100)
        assert redis.xlen("{caur}:events") == 1
        running.complete(redis, "take_in")
        assert len(claim_all(queue)) == 3


class TestStaging:
    def test_who_is_killed_before_the_request_begins_leaves_nothing_that_counts(
        self, queue: Queue, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("scheduler.queue.submitting.Submitting._run", _die)
            with pytest.raises(_KilledError):
                queue.submit("large", _chain(7))
        left = cast("list[bytes]", redis.keys("*"))
        assert len(left) == 2
        assert all(0 < redis.ttl(key) <= 600 for key in left)
        assert queue.snapshot().total_ready == 0
        again = queue.submit("large", _chain(7))
        assert not again.known
        assert len(again.jobs) == 7

    def test_two_submitters_of_one_id_do_not_mix(
        self, queue: Queue, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        faster: list[Submission] = []
        calls = []
        run = running.run_script

        def slow(redis: Redis, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - as the original
            calls.append(name)
            if calls == ["submit_staged"]:
                faster.append(Queue(redis).submit("request", [job("b"), job("c", "b")]))
            return run(redis, name, *arguments)

        monkeypatch.setattr("scheduler.queue.reader.run_script", slow)
        slower = queue.submit("request", [job("a"), job("b", "a")])
        assert (slower.known, faster[0].known) == (True, False)
        assert build_order(queue) == ["b", "c"]
        assert redis.keys("{caur}:staged*") == []

    def test_what_was_staged_too_long_ago_is_no_request(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = running.run_script

        def late(redis: Redis, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - as the original
            if name in {"submit_staged", "restore"}:
                redis.delete(*cast("list[bytes]", redis.keys("{caur}:staged*")))
            return run(redis, name, *arguments)

        documents = _documents(queue)
        monkeypatch.setattr("scheduler.queue.reader.run_script", late)
        monkeypatch.setattr("scheduler.queue.backup.run_script", late)
        with pytest.raises(TemporaryError, match="a part of it was forgotten"):
            queue.submit("large", _chain(3))
        with pytest.raises(TemporaryError, match="a part of it was forgotten"):
            queue.restore(documents)
        monkeypatch.undo()
        assert queue.snapshot().total_ready == 0
        assert not queue.submit("large", []).known

    def test_nothing_of_it_stays_behind(self, queue: Queue, redis: Redis) -> None:
        submit(queue, *_chain(7))
        kinds = Counter(
            key.removeprefix(b"{caur}:").partition(b":")[0]
            for key in cast("list[bytes]", redis.keys("*"))
        )
        assert not {b"intake", b"staged", b"staged_order", b"taken", b"canceled"} & set(kinds)

    def test_providers_come_first_also_in_a_cycle(self) -> None:
        jobs = [job("app", "so"), job("x", "y"), job("lib", provides=("so",)), job("y", "x")]
        assert providers_first(jobs) == [2, 0, 3, 1]
        deep = [job(f"p{number}", f"p{number + 1}") for number in range(5000)]
        assert providers_first(deep) == list(reversed(range(5000)))


def _documents(queue: Queue) -> list[dict[str, Any]]:
    submit(queue, *_chain(3))
    documents = list(queue.backup())
    queue.reset()
    return documents


class TestAnswer:
    def test_it_is_the_same_as_of_one_step(self, queue: Queue) -> None:
        queue.register(targets=["repo"], sources=["source"])
        submit(queue, job("running"), job("pending"))
        running = claimed(queue)
        removal = Removal(target_repo="repo", remove=("gone",))
        done = queue.submit(
            "request",
            [
                job("new"),
                job("pending"),
                job("running"),
                job("bad name"),
                job("lost", target_repo="nobodys"),
                job("lost", source_repo="nobodys"),
            ],
            [removal],
            on_running=OnRunning.CANCEL,
        )
        new, pending, successor = done.jobs
        assert new < successor
        assert pending < new
        assert done.replaced == (pending,)
        assert done.successors == (successor,)
        assert done.canceled == (running.job_id,)
        assert [view.removal_id for view in queue.removals()] == list(done.removals)
        assert [refusal.identity for refusal in done.refused] == [
            *("repo/x86_64/bad name", "nobodys/x86_64/lost", "repo/x86_64/lost"),
        ]
        assert [refusal.reason.split()[-2] for refusal in done.refused[1:]] == [
            *("repository", "repository"),
        ]
        assert queue.renew(running).cancel

    def test_all_of_it_came_at_one_time(self, queue: Queue) -> None:
        done = submit(queue, *_chain(7))
        views = [queue.job(id_) for id_ in done.jobs]
        assert len({view.submitted for view in views if view}) == 1

    def test_waiting_workers_get_it(self, queue: Queue, redis: Redis) -> None:
        me = worker()
        waiting = Background(lambda: queue.claim(me, wait=15))
        eventually(lambda: bool(redis.hexists("{caur}:idle_until", me.id)))
        submit(queue, *_chain(7))
        assert waiting.result().spec.pkgbase == "p0"


class TestReset:
    @pytest.mark.parametrize("parts", [0, 1, 4, 7])
    def test_it_forgets_what_is_being_taken_in(
        self, queue: Queue, redis: Redis, dying: Callable[[Callable[[], Any]], None], parts: int
    ) -> None:
        dying(lambda: queue.submit("large", _chain(7)))
        _go_on(redis, parts)
        assert queue.reset() == 7
        names = {key.split(b":")[1] for key in cast("list[bytes]", redis.keys("*"))}
        assert names <= {b"events", b"control", b"sequence", b"token", b"taken", b"job"}
        assert queue.submit("large", _chain(7)).jobs
        assert build_order(queue) == [f"p{number}" for number in range(7)]

    def test_a_killed_reset_is_finished_by_who_comes(self, queue: Queue, redis: Redis) -> None:
        submit(queue, *_chain(7))
        assert running.run_script(redis, "reset", 2) == [1, 7]
        assert redis.hlen("{caur}:pending") == 5
        _leave_alone(redis)
        snapshot = queue.snapshot()
        assert (snapshot.total_ready, snapshot.total_waiting) == (0, 0)
        assert [event.reason for event in queue.events()][-1] == "7 jobs were forgotten"


class TestBackup:
    def test_a_killed_restoration_is_finished_by_who_comes(
        self, queue: Queue, redis: Redis, dying: Callable[[Callable[[], Any]], None]
    ) -> None:
        documents = _documents(queue)
        dying(lambda: queue.restore(documents))
        _leave_alone(redis)
        assert build_order(queue) == ["p0", "p1", "p2"]
        assert [event.kind for event in queue.events()].count("restored") == 4

    def test_the_queue_is_closed_while_it_is_read(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submit(queue, *_chain(3))
        run, seen = running.run_script, []

        def look_on(redis: Redis, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - see above
            if name == "backup_jobs":
                seen.append(Background(lambda: queue.cancel(["repo/x86_64/p2"])))
            return run(redis, name, *arguments)

        monkeypatch.setattr("scheduler.queue.backup.run_script", look_on)
        documents = list(queue.backup())
        assert [each["id"] for each in documents if each["kind"] == "job"] == ["1", "2", "3"]
        assert len(seen) == 3
        assert [task.result()[0].done for task in seen].count(True) == 1

    def test_a_reader_that_is_too_slow_begins_again(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submit(queue, *_chain(3))
        run = running.run_script

        def slow(redis: Redis, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - see above
            if name == "backup_jobs":
                assert 0 < redis.pttl("{caur}:intake") <= 5000
                redis.delete("{caur}:intake")
            return run(redis, name, *arguments)

        monkeypatch.setattr("scheduler.queue.backup.run_script", slow)
        with pytest.raises(TemporaryError, match="took so long"):
            list(queue.backup())
        monkeypatch.undo()
        assert len(claim_all(queue)) == 1

    def test_the_order_of_deliveries_comes_back(self, queue: Queue) -> None:
        submit(queue, *(job(f"p{number}") for number in range(5)), job("app", "p0"))
        for claim in reversed(claim_all(queue)):
            queue.land(claim, f"delivery-{claim.spec.pkgbase}")
        documents = list(queue.backup())
        queue.reset()
        assert queue.restore(documents).jobs == 6
        landed = [claim.spec.pkgbase for claim in queue.claim_landed("runner")]
        assert landed == ["p4", "p3", "p2", "p1", "p0"]
        assert queue.snapshot().total_waiting == 1

    def test_a_full_queue_is_not_touched(self, queue: Queue, redis: Redis) -> None:
        documents = _documents(queue)
        submit(queue, job("other"))
        with pytest.raises(InputError, match="not empty"):
            queue.restore(documents)
        assert redis.keys("{caur}:staged*") == []
        assert build_order(queue) == ["other"]


_COUNT = 7
_requests = st.lists(
    st.builds(
        lambda number, depends, more, policy, build_class: job(
            f"p{number}",
            *(f"p{other}" for other in depends),
            provides=(f"p{more}.so",),
            on_failure=policy,
            build_class=build_class,
        ),
        st.integers(0, _COUNT - 1),
        st.lists(st.integers(0, _COUNT - 1), max_size=3, unique=True),
        st.integers(0, 2),
        st.sampled_from(OnFailure),
        st.sampled_from(["1", "2", "named"]),
    ),
    max_size=_COUNT,
    unique_by=lambda spec: spec.pkgbase,
)


def _state(redis: Redis) -> dict[str, Any]:
    """Return what the queue has, with identities for ids, but for times and tokens."""
    identity = {}
    jobs: dict[str, Any] = {}
    for key in cast("list[bytes]", redis.keys("{caur}:job:*")):
        fields = cast("dict[bytes, bytes]", redis.hgetall(key))
        pending = fields[b"state"] in {b"waiting", b"ready"}
        name = (fields[b"identity"], b"pending" if pending else fields[b"state"])
        identity[key.rsplit(b":", 1)[1]] = name
        kept = (
            *(b"state", b"place", b"need", b"lacks", b"policy", b"class", b"caution"),
            b"queued",
        )
        if fields[b"state"] != b"done":
            jobs[str(name)] = [fields.get(field) for field in (*kept, b"spec", b"cancel")]
    sets: dict[bytes, Any] = {}
    for kind in ("prov", "want", "skip", "without", "lacking"):
        for key in cast("list[bytes]", redis.keys(f"{{caur}}:{kind}:*")):
            *start, last = key.split(b":", 2)
            named = b":".join([*start, str(identity.get(last, last)).encode()])
            if kind == "without":
                sets[named] = redis.hgetall(key)
            else:
                sets[named] = {identity[id_] for id_ in cast("set[bytes]", redis.smembers(key))}
    places = {
        place: [identity[id_] for id_ in cast("list[bytes]", redis.zrange(place, 0, -1))]
        for place in ("{caur}:waiting", "{caur}:held", "{caur}:delayed")
    }
    return {"jobs": jobs, "sets": sets, "places": places}


def _kinds(queue: Queue) -> Counter[tuple[str, str, JobState | None]]:
    return Counter((event.kind, event.identity, event.state) for event in queue.events())


@on_one_server
@given(
    before=_requests,
    claims=st.lists(st.sampled_from([*Outcome, None]), max_size=3),
    request_=_requests,
    on_running=st.sampled_from(OnRunning),
)
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_comes_of_it_is_what_comes_of_one_step(
    redis: Redis,
    before: list[JobSpec],
    claims: list[Outcome | None],
    request_: list[JobSpec],
    on_running: OnRunning,
) -> None:
    results = []
    for jobs_at_once in (1000, 0):
        redis.flushall()
        queue = Queue(redis)
        queue.submit("before", before)
        held = [claim for _ in claims if (claim := queue.claim(worker("named", 2)))]
        for claim, outcome in zip(held, claims, strict=False):
            if outcome is None:
                queue.land(claim, "delivery")
            elif outcome is not Outcome.SKIPPED:
                queue.finish(claim, outcome)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("scheduler.queue.submitting._JOBS_AT_ONCE", jobs_at_once)
            patch.setattr("scheduler.queue.running._JOBS_AT_ONCE", 2)
            queue.submit("request", request_, on_running=on_running)
        results.append((_state(redis), _kinds(queue), build_order(queue, worker("named", 2))))
    at_once, in_parts = results
    assert in_parts == at_once
