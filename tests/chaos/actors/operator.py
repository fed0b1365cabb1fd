"""Uses the power over the queue for no reason, then only to let held jobs go."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.chaos.actors.actor import Actor
from tests.chaos.journal import read_journals
from tests.chaos.workload import workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.queue import JobChange

_DOOM = 0.02
_WISHES = {"promote": 40, "cancel": 12, "retry": 24, "pause": 10, "drain": 8}
# For so many jobs there is one wish.
_JOBS_PER_WISH = 6
_LONGEST_PAUSE = 0.4


class Operator(Actor):
    """One maintainer with nothing better to do."""

    def __init__(self) -> None:
        super().__init__(doom=_DOOM)
        self._packages = sorted(
            {
                job.identity
                for part in workload(self.settings)
                for request in part
                for job in request.jobs
            }
        )
        said = read_journals(self.folder, f"{self.part}-*")
        self._left = self.settings.jobs // _JOBS_PER_WISH - sum(
            word.kind in _WISHES for word in said
        )

    def run(self) -> None:
        """Act until killed."""
        # Whoever had this place before may have died in a pause.
        self.retry_while_held("resume", self.queue.resume)
        while True:
            time.sleep(self.chance.uniform(0.1, _LONGEST_PAUSE))
            if self._left > 0:
                self._left -= 1
                (wish,) = self.chance.choices(list(_WISHES), list(_WISHES.values()))
                self._do(wish)
            if self._left <= 0 or self.chance.random() < 0.2:
                self._let_go()

    def _do(self, wish: str) -> None:
        count = self.chance.choice((1, 1, 3))
        packages = self.chance.sample(self._packages, min(count, len(self._packages)))
        told = {"packages": packages}
        if wish == "promote":
            self.say(wish, lambda: self.queue.promote(packages), told, result=_done)
        elif wish == "cancel":
            self.say(wish, lambda: self.queue.cancel(packages), told, result=_done)
        elif wish == "retry":
            self.say(wish, lambda: self.queue.retry(packages), told, result=_done)
        elif wish == "drain":
            worker = f"worker{self.chance.randrange(self.settings.workers)}"
            self.say(wish, lambda: self.queue.drain([worker]), {"worker": worker})
        else:
            self.say("pause", lambda: self.queue.pause("for a moment"))
            time.sleep(self.chance.uniform(0, _LONGEST_PAUSE))
            self.retry_while_held("resume", self.queue.resume)

    def _let_go(self) -> None:
        _, snapshot = self.say("look", lambda: self.queue.snapshot(limit=20))
        held = [job.job_id for job in snapshot.held] if snapshot is not None else []
        if held:
            self.say("proceed", lambda: self.queue.proceed(held), {"jobs": held}, result=_done)


def _done(answers: Sequence[JobChange] | None) -> dict[str, Any]:
    return {"done": [answer.job_id for answer in answers or () if answer.done]}


if __name__ == "__main__":
    Operator().run()
