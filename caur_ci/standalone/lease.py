"""One run at a time for a repository: who has it, in the file `run.json` on branch `caur`.

A run is heard of every few minutes. One that was killed has lost the repository a quarter of an
hour later, or as soon as the next one begins in the same work folder.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError
from caur_ci.pipeline.shared.memory.standalone_run import LEASE, StandaloneRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caur_ci.git import Identity
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory

_RENEWED_EVERY = LEASE / 3


class Lease:
    """The right of one run to build and to publish; every change of the memory says that it is so.

    `goes_on`: it is an earlier run, which was killed. Safe to use from two threads.
    """

    def __init__(self, context: RunContext, identity: Identity, run_id: str, who: str) -> None:
        self.id = run_id
        self.goes_on = False
        self._context = context
        self._identity = identity
        self._who = who
        self._lock = threading.Lock()
        self._lost: CaurError | None = None

    @classmethod
    def take(cls, context: RunContext, identity: Identity, *, known: str, who: str) -> Lease:
        """Begin a run, or go on with the run `known` where nobody has begun another one since.

        Raises TemporaryError while another one is under way, and as
        `SharedRepository.change_memory` does.
        """
        lease = cls(context, identity, uuid.uuid4().hex, who)
        fresh = lease.id

        def change(memory: Memory) -> Memory:
            run, now = memory.run, time.time()
            lease.goes_on = run is not None and run.id == known
            if not lease.goes_on:
                _refuse_other(run, now)
            lease.id = known if lease.goes_on else fresh
            before = run.on_its_way if run is not None else ()
            begun = StandaloneRun(id=lease.id, until=0, who=who, on_its_way=before)
            return replace(memory, run=begun.renewed(now))

        lease._change(change)
        return lease

    def change(self, change: Callable[[Memory, StandaloneRun], Memory]) -> Memory:
        """Change what is remembered, as long as this is the run that may.

        Raises TemporaryError where it is not, and as `SharedRepository.change_memory` does.
        """

        def checked(memory: Memory) -> Memory:
            if memory.run is None or memory.run.id != self.id:
                raise TemporaryError(
                    "another run has begun, because nothing was heard of this one for long",
                    hint="What was not published is built by that run, or by the next one.",
                )
            return change(memory, memory.run.renewed(time.time()))

        return self._change(checked)

    def memory(self) -> Memory:
        """Return what is remembered now."""
        with self._lock:
            shared = self._context.shared
            return shared.memory(shared.snapshot())

    def check(self) -> None:
        """Raise what took the repository away from this run."""
        if self._lost is not None:
            raise self._lost

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Be heard of meanwhile; when an error ends it, others may go on at once."""
        ending = threading.Event()
        thread = threading.Thread(target=self._renew, args=(ending,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        except BaseException:
            ending.set()
            self._suspend()
            raise
        finally:
            ending.set()
            thread.join()

    def _renew(self, ending: threading.Event) -> None:
        last = time.monotonic()
        while not ending.wait(_RENEWED_EVERY):
            try:
                self.change(lambda memory, run: replace(memory, run=run))
                last = time.monotonic()
            except CaurError as error:
                # A server that is away for a moment takes nothing from us.
                if time.monotonic() - last > LEASE - _RENEWED_EVERY / 2:
                    self._lost = error
                    return

    def _suspend(self) -> None:
        try:
            self.change(lambda memory, run: replace(memory, run=run.suspended()))
        except CaurError:
            return  # it ends by itself

    def _change(self, change: Callable[[Memory], Memory]) -> Memory:
        with self._lock:
            return self._context.shared.change_memory(
                change,
                identity=self._identity,
                push_options=self._context.forge_pipeline.push_options(),
            )


def _refuse_other(run: StandaloneRun | None, now: float) -> None:
    if run is None or run.until <= now:
        return
    until = datetime.fromtimestamp(run.until, tz=UTC).strftime("%H:%M:%S")
    raise TemporaryError(
        f"another run is under way: {run.who}",
        hint="It builds what is asked for here as well. If it was killed, the next run may begin "
        f"at {until} UTC, or now in the work folder of the killed one.",
    )
