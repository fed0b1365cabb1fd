"""Asks many servers many questions at once, so that a server that hangs keeps nobody else waiting.

Every server has some lanes of its own. Threads that are still held up when the time is over are
left behind; they end with the process.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from caur_ci.errors import CaurError
from caur_ci.update.vcs.tip import TipError, TipProblem, TipTrouble

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

_log = logging.getLogger(__name__)

_MOST_THREADS = 128
# Questions of one server that it did not answer, none in between that it did.
_MOST_SILENT = 4

Q = TypeVar("Q", bound="Hashable")
A = TypeVar("A")


@dataclass
class _Server(Generic[Q]):
    name: str
    waiting: deque[Q] = field(default_factory=deque)
    silent: int = 0


class Lanes(Generic[Q, A]):
    """Gets answers from servers.

    `ask` returns one answer, or raises TipError. A server is asked up to `per_server` questions at
    once, and all of it takes up to `seconds`. A server that keeps silent is not asked on.
    """

    def __init__(
        self,
        ask: Callable[[Q], A],
        server_of: Callable[[Q], str],
        *,
        per_server: int,
        seconds: float,
    ) -> None:
        self._ask = ask
        self._server_of = server_of
        self._per_server = per_server
        self._seconds = seconds
        self._lock = threading.Lock()
        self._found: dict[Q, A | TipProblem] = {}
        self._fatal: list[CaurError] = []

    def answers(self, questions: Iterable[Q]) -> dict[Q, A | TipProblem]:
        """Return an answer to each question, or why there is none.

        Raises CaurError for what concerns the run as a whole.
        """
        servers: defaultdict[str, list[Q]] = defaultdict(list)
        for question in dict.fromkeys(questions):
            servers[self._server_of(question)].append(question)
        # Never in the same order: where a server tires, it must not always be of the same ones.
        shuffled = [
            _Server(name, deque(random.sample(its, len(its)))) for name, its in servers.items()
        ]
        lanes: queue.SimpleQueue[_Server[Q]] = queue.SimpleQueue()
        for number in range(self._per_server):
            for server in shuffled:
                if number < len(server.waiting):
                    lanes.put(server)
        threads = [
            threading.Thread(target=self._work, args=(lanes,), daemon=True, name=f"lane-{number}")
            for number in range(min(_MOST_THREADS, lanes.qsize()))
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + self._seconds
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return self._results(servers)

    def _results(self, servers: dict[str, list[Q]]) -> dict[Q, A | TipProblem]:
        with self._lock:
            found, fatal = dict(self._found), list(self._fatal)
        if fatal:
            raise fatal[0]
        for name, questions in servers.items():
            late = TipProblem(f"{name}: no answer in time", TipTrouble.UNREACHABLE)
            for question in questions:
                found.setdefault(question, late)
        return found

    def _work(self, lanes: queue.SimpleQueue[_Server[Q]]) -> None:
        while True:
            try:
                server = lanes.get_nowait()
            except queue.Empty:
                return
            while self._step(server):
                pass

    def _step(self, server: _Server[Q]) -> bool:
        """Ask one question; return whether there may be another one."""
        with self._lock:
            if not server.waiting or self._fatal:
                return False
            question = server.waiting.popleft()
            is_silent = server.silent >= _MOST_SILENT
        if is_silent:
            told = f"{server.name}: not asked, because it did not answer about others"
            answer: A | TipProblem = TipProblem(told, TipTrouble.UNREACHABLE)
        else:
            answer = self._answer(server, question)
        with self._lock:
            self._found[question] = answer
        return True

    def _answer(self, server: _Server[Q], question: Q) -> A | TipProblem:
        try:
            answer = self._ask(question)
        except TipError as error:
            is_silent = error.problem.trouble is TipTrouble.UNREACHABLE
            server.silent = server.silent + 1 if is_silent else 0
            return error.problem
        except CaurError as error:  # of the run as a whole: a recording without this answer
            self._fatal.append(error)
            return TipProblem(error.message, TipTrouble.UNUSABLE)
        except Exception as error:  # noqa: BLE001 - whatever a server does to us is its own
            _log.debug("%s", server.name, exc_info=True)
            return TipProblem(
                f"{server.name} gave no answer that makes sense: {error!r}"[:300],
                TipTrouble.UNUSABLE,
            )
        server.silent = 0
        return answer
