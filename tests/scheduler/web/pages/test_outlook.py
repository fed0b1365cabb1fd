"""When jobs are likely to start and to end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scheduler.job import JobState
from scheduler.queue import JobView, Pause, QueueSnapshot, WorkerView
from scheduler.web.pages.outlook import look_ahead

NOW = 1000.0


def identity(name: str) -> str:
    return f"repo/x86_64/{name}"


def view(job_id: int, name: str, **fields: Any) -> JobView:  # noqa: ANN401 - any field
    given = {"state": JobState.READY, "build_class": "1"} | fields
    return JobView(job_id=job_id, identity=identity(name), **given)


def forecasts(**lengths: float) -> dict[str, float]:
    return {identity(name): length for name, length in lengths.items()}


def worker(name: str, build_class: int = 2, *jobs: int, **fields: Any) -> WorkerView:  # noqa: ANN401
    return WorkerView(id=name, name=name, build_class=build_class, seen=NOW, jobs=jobs, **fields)


def snapshot(**fields: Any) -> QueueSnapshot:  # noqa: ANN401
    lists: dict[str, Any] = dict.fromkeys(
        ("workers", "active", "ready", "waiting", "held", "delayed", "quarantine", "recent"), ()
    )
    names = ("active", "ready", "waiting", "held", "delayed", "quarantine", "removals")
    totals = {f"total_{name}": 0 for name in names}
    return QueueSnapshot(time=NOW, paused=None, **(lists | totals | fields))


BUILDING = view(1, "a", state=JobState.BUILDING, started=NOW - 60, worker="one")


def test_jobs_go_to_the_worker_that_is_free_first_in_order() -> None:
    found = look_ahead(
        snapshot(
            workers=(worker("one", 2, 1), worker("two", 2), worker("database", 0)),
            active=(BUILDING,),
            ready=(view(2, "b"), view(3, "c"), view(4, "d")),
        ),
        forecasts(a=100.0, b=30.0, c=50.0, d=5.0),
    )

    assert found.ends[1] == NOW + 40
    assert found.starts == {2: NOW, 3: NOW + 30, 4: NOW + 40}
    assert (found.ends[3], found.ends[4]) == (NOW + 80, NOW + 45)


def test_classes_are_respected() -> None:
    found = look_ahead(
        snapshot(
            workers=(worker("small", 1), worker("big", 9), worker("ill", 9, trouble="disk full")),
            ready=(
                view(1, "a", build_class="5"),
                view(2, "b", build_class="5"),
                view(3, "c", build_class="10"),
                view(4, "d", build_class="small"),
                view(5, "e", build_class="ill"),
                view(6, "f"),
            ),
        ),
        forecasts(**dict.fromkeys("abcdef", 10.0)),
    )

    assert found.starts == {1: NOW, 2: NOW + 10, 4: NOW, 6: NOW + 10}


def test_what_waits_begins_after_what_it_waits_for() -> None:
    waiting = (
        view(3, "c", state=JobState.WAITING, waits_for=(identity("b"),)),
        view(2, "b", state=JobState.WAITING, waits_for=(identity("a"),)),
        view(4, "d", state=JobState.WAITING, waits_for=("nobody",)),
    )
    found = look_ahead(
        snapshot(workers=(worker("one", 2, 1), worker("two")), active=(BUILDING,), waiting=waiting),
        forecasts(a=100.0, b=10.0),
    )

    assert found.starts == {2: NOW + 40, 3: NOW + 50}
    assert 3 not in found.ends  # nothing is known of it but that it is an average one


def test_what_takes_longer_than_usual_is_not_said_to_be_over() -> None:
    late = replace(BUILDING, started=NOW - 500)
    found = look_ahead(snapshot(workers=(worker("one", 2, 1),), active=(late,)), forecasts(a=100.0))

    assert found.ends[1] == NOW + 10


def test_nothing_is_said_where_nothing_is_known() -> None:
    queue = snapshot(workers=(worker("one"),), ready=(view(1, "a"),))

    assert look_ahead(queue, {}).starts == {}
    paused = replace(queue, paused=Pause(since=NOW))
    assert look_ahead(paused, forecasts(a=1.0)).starts == {}
