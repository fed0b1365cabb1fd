"""One run: everything is started, harmed, healed, and waited for."""

from __future__ import annotations

import heapq
import itertools
import signal
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from redis import exceptions

from scheduler.queue import keys
from tests.chaos.crowd import Crowd
from tests.chaos.faults import Fault, Kind, schedule
from tests.chaos.history import History, collect
from tests.chaos.proxy import Proxy
from tests.chaos.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.settings import Settings

_TICK = 0.01
# A fault does not wait longer than this for jobs to end.
_LONGEST_PAUSE = 1.0
_SHORTEST_PAUSE = 0.05
# Nothing but a job that is lost for good lets the end wait for so long.
_PATIENCE = 150.0

_SIGNALS = {
    Kind.KILL_WORKER: ("worker", signal.SIGKILL),
    Kind.DISMISS_WORKER: ("worker", signal.SIGTERM),
    Kind.KILL_RUNNER: ("runner", signal.SIGKILL),
    Kind.KILL_SUBMITTER: ("submitter", signal.SIGKILL),
}
# Programs that end by themselves would be started for ever.
_MOST_CRASHES = 10

_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError)


def run(settings: Settings, folder: Path) -> History:
    """Let a run happen, with its journals in `folder`, and return what is known of it."""
    with ExitStack() as stack:
        server = stack.enter_context(Server())
        server.start()
        server.wait_until_up()
        proxy = stack.enter_context(Proxy(server.socket))
        settings = replace(settings, url=proxy.url)
        settings.write(folder)
        crowd = stack.enter_context(Crowd(folder, settings))
        chaos = _Chaos(settings, server, proxy, crowd)
        is_drained = chaos.go_on()
        # What counts is what a server knows that was killed once more.
        crowd.__exit__()
        server.kill()
        server.start()
        server.wait_until_up()
        return collect(
            settings,
            folder,
            server.client,
            faults=chaos.done,
            deaths=crowd.deaths,
            crashes=crowd.crashes,
            is_drained=is_drained,
        )


class _Chaos:
    """Does the faults of a run when they are due, and ends what they began."""

    def __init__(self, settings: Settings, server: Server, proxy: Proxy, crowd: Crowd) -> None:
        self.done: Counter[str] = Counter()
        self._settings = settings
        self._server, self._proxy, self._crowd = server, proxy, crowd
        self._faults = schedule(settings)
        self._ended_jobs, self._last_event = 0, "0"
        self._last_fault = time.monotonic()
        # What is to be done later: when, in which order of those, what.
        self._later: list[tuple[float, int, Callable[[], Any]]] = []
        self._numbers = itertools.count()
        self._harm: dict[Kind, Callable[[Fault], None]] = {
            Kind.FREEZE_WORKER: self._freeze,
            Kind.KILL_SERVER: self._kill_server,
            Kind.CUT: self._cut,
            Kind.REFUSE: self._refuse,
            Kind.LOSE_ANSWERS: self._lose_answers,
            Kind.DELAY: self._delay,
        }

    def go_on(self) -> bool:
        """Return once all faults are over and every job has ended, False if that never comes."""
        deadline: float | None = None
        while len(self._crowd.crashes) < _MOST_CRASHES:
            self._crowd.replace_dead()
            self._do_what_is_due()
            if not (self._faults or self._later or self._crowd.is_submitting):
                deadline = deadline or time.monotonic() + _PATIENCE
                if self._is_drained():
                    return True
                if time.monotonic() > deadline:
                    break
            time.sleep(_TICK)
        return False

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        self._follow()
        paused = now - self._last_fault
        if self._faults and paused > _SHORTEST_PAUSE:
            due = self._ended_jobs >= self._faults[0].after
            if due or paused > _LONGEST_PAUSE:
                self._do(self._faults.pop(0))
                self._last_fault = now

    def _do(self, fault: Fault) -> None:
        if fault.kind in _SIGNALS:
            program, number = _SIGNALS[fault.kind]
            if self._crowd.signal(program, fault.target, number) is None:
                return
        else:
            self._harm[fault.kind](fault)
        self.done[fault.kind] += 1

    def _freeze(self, fault: Fault) -> None:
        name = self._crowd.signal("worker", fault.target, signal.SIGSTOP)
        if name is not None:
            lease = self._settings.lease
            self._after(lease * (1 + fault.seconds), lambda: self._crowd.thaw(name))

    def _kill_server(self, fault: Fault) -> None:
        self._server.kill()
        self._after(fault.seconds, self._server.start)

    def _cut(self, _: Fault) -> None:
        self._proxy.cut()

    def _refuse(self, fault: Fault) -> None:
        self._proxy.is_refusing = True
        self._proxy.cut()
        self._after(fault.seconds, lambda: setattr(self._proxy, "is_refusing", False))

    def _lose_answers(self, fault: Fault) -> None:
        self._proxy.is_deaf = True
        self._after(fault.seconds / 2, self._hear_again)

    def _delay(self, fault: Fault) -> None:
        self._proxy.delay = fault.seconds / 10
        self._after(2.0, lambda: setattr(self._proxy, "delay", 0.0))

    def _hear_again(self) -> None:
        # Whoever has missed an answer must not take the next one for it.
        self._proxy.cut()
        self._proxy.is_deaf = False

    def _after(self, seconds: float, action: Callable[[], Any]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), action))

    def _follow(self) -> None:
        """Count the jobs that have ended."""
        try:
            answer: Any = self._server.client.xread({keys.EVENTS: self._last_event}, count=1000)
        except _AWAY:
            return
        for _, entries in answer:
            for event_id, fields in entries:
                self._last_event = event_id
                self._ended_jobs += fields[b"kind"] == b"done"

    def _is_drained(self) -> bool:
        client = self._server.client
        prefix = keys.PREFIX
        try:
            return not any(
                (
                    client.hlen(f"{prefix}pending"),
                    client.hlen(f"{prefix}active"),
                    client.llen(f"{prefix}removals"),
                )
            )
        except _AWAY:
            return False
