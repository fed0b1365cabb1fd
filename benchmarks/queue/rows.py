"""What is measured of the queue."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.measure import BenchmarkError
from benchmarks.queue import peers
from benchmarks.queue.claiming import Line, claim_costs
from benchmarks.queue.handout import hand_out_delays
from benchmarks.queue.jobs import web
from benchmarks.queue.server import Server, private_server
from benchmarks.queue.waiting import longest_waits
from caur_ci.errors import ProcessError
from scheduler.queue import Queue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BATCH, _DEPENDENCIES = 10_000, 30_000
_SUBMIT_GOAL = 1.0
# How many times as fast as the others ours is meant to be.
_RATIO_GOALS = {"RQ": 10.0, "BullMQ": 1.0}
_EMPTY_JOBS = 1_000
_WORKERS, _HANDED_OUT, _HAND_OUT_GOAL = 32, 200, 0.010
_SHORT, _LONG, _CLAIMS, _CLAIM_GOAL = 100, 100_000, 400, 1.5
_WAIT_GOALS = {"submit": 0.1, "submit all of them again": 0.1, "backup": 0.1, "restore": 0.1}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the table, in the words in which it is shown.

    `ratio` says what `median` is compared with; `is_met` is whether the goal is reached.
    """

    what: str
    median: str
    best: str
    goal: str = ""
    ratio: str = ""
    is_met: bool = True


def queue_rows(repeat: int) -> Iterator[QueueRow]:
    """Measure the queue, each row `repeat` times, on servers of our own."""
    with private_server() as server:
        yield _submit(server, repeat)
        for how in ("everysec", "always"):
            server.write_to_disk(how)
            yield from _complete(server, how, repeat)
        server.write_to_disk("everysec")
        yield from _hand_out(server, repeat)
        yield from _waits(server, repeat)
        with private_server() as other:
            yield from _claim(server, other, repeat)


def _submit(server: Server, repeat: int) -> QueueRow:
    jobs = web(_BATCH, _DEPENDENCIES)
    times = []
    for number in range(repeat):
        server.client.flushall()
        started = time.perf_counter()
        submission = Queue(server.client).submit(f"request-{number}", jobs)
        times.append(time.perf_counter() - started)
        if len(submission.jobs) != _BATCH:
            raise BenchmarkError(f"{len(submission.jobs)} of {_BATCH} jobs were taken")
    median = statistics.median(times)
    return QueueRow(
        f"submit {_BATCH:,} jobs with {_DEPENDENCIES:,} dependencies in one batch",
        f"{median:.2f} s",
        f"{min(times):.2f} s",
        goal=f"≤ {_SUBMIT_GOAL:g} s",
        is_met=median <= _SUBMIT_GOAL,
    )


def _complete(server: Server, how: str, repeat: int) -> Iterator[QueueRow]:
    """Let everybody do the same by turns, so that whatever else happens, happens to all."""
    own = peers.own()
    found, missing = peers.others()
    rates: dict[str, list[float]] = {peer.name: [] for peer in (*own, *found)}
    for _ in range(repeat):
        for peer in own:
            rates[peer.name].append(peer.rate(server, _EMPTY_JOBS))
        for peer in list(found):
            try:
                rates[peer.name].append(peer.rate(server, _EMPTY_JOBS))
            except ProcessError as error:
                found.remove(peer)
                missing.append(
                    f"{peer.name} could not be measured: {error.message.splitlines()[0]}"
                )
    what = f"{_EMPTY_JOBS:,} empty jobs, one worker, appendfsync {how}"
    for peer in own:
        yield _rate_row(f"{what}: {peer.name}", rates[peer.name])
        for other in found:
            yield _compared(peer, other, rates)
    for reason in missing:
        yield QueueRow(reason, "", "", is_met=False)


def _compared(own: peers.Peer, other: peers.Peer, rates: dict[str, list[float]]) -> QueueRow:
    ours, theirs = rates[own.name], rates[other.name]
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    goal = _RATIO_GOALS[other.name.split()[0]]
    return _rate_row(
        f"… against {other.name}",
        theirs,
        goal=f"≥ {goal:g} times",
        ratio=f"{ratio:.2g} times, of the best {max(ours) / max(theirs):.2g}",
        is_met=ratio >= goal,
    )


def _hand_out(server: Server, repeat: int) -> Iterator[QueueRow]:
    delays = [hand_out_delays(server, workers=_WORKERS, jobs=_HANDED_OUT) for _ in range(repeat)]
    what = f"from submit to claimed, {_WORKERS} waiting workers, appendfsync everysec"
    half, nearly_all = ([d.half for d in delays], [d.nearly_all for d in delays])
    yield _time_row(f"{what}: half of the jobs", half)
    yield _time_row(f"{what}: 99 in 100 jobs", nearly_all, goal=_HAND_OUT_GOAL)


def _waits(server: Server, repeat: int) -> Iterator[QueueRow]:
    waits = [
        longest_waits(server, jobs=_LONG, dependencies=3 * _LONG) for _ in range(min(repeat, 3))
    ]
    for action in waits[0]:
        yield _time_row(
            f"longest PING of others, {_LONG:,} jobs with {3 * _LONG:,} dependencies: {action}",
            [each[action] for each in waits],
            goal=_WAIT_GOALS.get(action),
        )


def _claim(server: Server, other: Server, repeat: int) -> Iterator[QueueRow]:
    other.write_to_disk("everysec")
    short, long = Line(server, _SHORT), Line(other, _LONG)
    costs = [claim_costs(short, long, claims=_CLAIMS) for _ in range(repeat)]
    yield _time_row(f"a claim with {_SHORT:,} jobs in the queue", [c.short for c in costs])
    ratio = statistics.median(c.ratio for c in costs)
    yield QueueRow(
        f"a claim with {_LONG:,} jobs in the queue",
        *_in_milliseconds([c.long for c in costs]),
        goal=f"≤ {_CLAIM_GOAL:g} times",
        ratio=f"{ratio:.2f} times",
        is_met=ratio <= _CLAIM_GOAL,
    )


def _rate_row(
    what: str, rates: Sequence[float], *, goal: str = "", ratio: str = "", is_met: bool = True
) -> QueueRow:
    median, best = (f"{rate:,.0f}/s" for rate in (statistics.median(rates), max(rates)))
    return QueueRow(what, median, best, goal=goal, ratio=ratio, is_met=is_met)


def _time_row(what: str, times: Sequence[float], goal: float | None = None) -> QueueRow:
    return QueueRow(
        what,
        *_in_milliseconds(times),
        goal="" if goal is None else f"≤ {goal * 1000:g} ms",
        is_met=goal is None or statistics.median(times) <= goal,
    )


def _in_milliseconds(times: Sequence[float]) -> tuple[str, str]:
    """Return median and best."""
    return f"{statistics.median(times) * 1000:.2f} ms", f"{min(times) * 1000:.2f} ms"
