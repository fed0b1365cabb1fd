"""The worker: claims jobs, builds them, delivers what they made."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError
from scheduler.heartbeat import DEFAULT_INTERVAL, Heartbeat
from scheduler.job import FailureClass, JobState
from scheduler.queue import DrainedError, StaleClaimError
from scheduler.upkeep import Upkeep
from scheduler.worker.executors.protocol import Stop
from scheduler.worker.joblog import JobLog
from scheduler.worker.outcome import BuildResult, failed, unfit
from scheduler.worker.readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from threading import Event

    from scheduler.logs import LogStore
    from scheduler.presence import Presence
    from scheduler.queue import Claim, Queue, WorkerIdentity
    from scheduler.worker.builder import Builder
    from scheduler.worker.delivery import DeliveryClient
    from scheduler.worker.workspace import Workspace

_log = logging.getLogger(__name__)

# How long one call waits for a job: also how long it may take to notice that it is to stop.
_CLAIM_WAIT = 2.0
_RETRY_AFTER = 2.0
# How long it waits for somebody to answer its greeting before its first job.
_OPENING_WAIT = 30.0
_TIDIED_EVERY = 6 * 3600.0


class Worker:
    """One worker, building one job at a time."""

    def __init__(
        self,
        *,
        queue: Queue,
        logs: LogStore,
        identity: WorkerIdentity,
        builder: Builder,
        delivery: DeliveryClient,
        workspace: Workspace,
        stop: Event,
        heartbeat_interval: float = DEFAULT_INTERVAL,
        readiness: Readiness | None = None,
        presence: Presence | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        """`secrets` are kept out of the logs of builds."""
        self._queue = queue
        self._logs = logs
        self.identity = identity
        self._builder = builder
        self._delivery = delivery
        self._workspace = workspace
        self._stop = stop
        self._heartbeat_interval = heartbeat_interval
        self._readiness = readiness or Readiness()
        self._presence = presence
        self._secrets = tuple(secrets)
        self._trouble = ""
        self._next_tidying = 0.0
        self._next_look = 0.0
        self._upkeep = Upkeep(queue, sources=builder.settings.source_repos)

    def run(self, *, idle_exit: float | None = None, jobs: int | None = None) -> int:
        """Work until told to stop, for `idle_exit` seconds without a job, or until `jobs` are done.

        Returns how many jobs were worked on. A job in hand when told to stop is handed back. A
        worker that is drained builds the one in hand, and gets no other. One that cannot work takes
        none until it can again, and says why.

        Raises ProtocolError.
        """
        done = 0
        wait = _CLAIM_WAIT if idle_exit is None else min(_CLAIM_WAIT, idle_exit)
        with suppress(TemporaryError):
            limit = _OPENING_WAIT if idle_exit is None else min(_OPENING_WAIT, idle_exit)
            self._readiness.wait(limit)
        idle_since = time.monotonic()
        try:
            while not self._stop.is_set() and done != jobs:
                claim = self._next_claim(wait)
                if claim is not None:
                    self.work_on(claim)
                    done += 1
                    idle_since = time.monotonic()
                elif idle_exit is not None and time.monotonic() - idle_since >= idle_exit:
                    break
        except DrainedError as error:
            _log.info("%s. %s", error.message, error.hint)
        else:
            with suppress(TemporaryError):
                self._tell_trouble("")
            self._upkeep.leave(self.identity.id)
        return done

    def work_on(self, claim: Claim) -> None:
        """Build the job of `claim` and tell the queue what became of it."""
        _log.info("%s: building commit %s (%s)", claim.identity, claim.spec.commit, claim.job_id)
        with (
            Heartbeat(self._queue, [claim], interval=self._heartbeat_interval) as heartbeat,
            JobLog(self._logs, claim, secrets=self._secrets) as log,
        ):
            try:
                self._build_and_settle(claim, heartbeat, log)
            except StaleClaimError as error:
                _log.warning("%s: given up: %s", claim.identity, error.message)
                log.say("given up: the job is no longer this worker's")

    def _build_and_settle(self, claim: Claim, heartbeat: Heartbeat, log: JobLog) -> None:
        log.say(self._headline(claim))
        log.flush()
        name = f"{claim.job_id}-{claim.token}"
        result: BuildResult | None
        try:
            with self._workspace.build_folder(name) as folder:
                result = self._builder.build(
                    claim, folder, log, lambda: self._why_stop(claim, heartbeat)
                )
                if result.manifest is not None:
                    result = self._deliver(claim, result, folder.output, heartbeat, log)
        except OSError as error:  # the folder itself could not be made or used
            result = failed(FailureClass.INFRASTRUCTURE, f"on the worker: {error}")
        if result is not None:
            if result.may_be_the_workers_fault and (problem := self._readiness.look_again()):
                result = unfit(f"{result.reason}; this worker cannot work: {problem}")
            self._finish(claim, result, heartbeat, log)

    def _deliver(
        self, claim: Claim, built: BuildResult, output: Path, heartbeat: Heartbeat, log: JobLog
    ) -> BuildResult | None:
        """Put the packages into the landing zone; return a result only if that failed."""
        manifest, notes = built.manifest, built.notes
        if manifest is None:
            return built
        result = self._delivery.deliver(
            manifest, output, log, lambda: self._why_stop(claim, heartbeat)
        )
        if result is not None:
            return replace(result, notes=notes)
        landing = self._delivery.landing
        try:
            state = heartbeat.retry_while_held(
                claim, lambda: self._queue.land(claim, manifest.delivery, notes=notes)
            )
        except StaleClaimError:
            landing.remove(manifest.delivery)
            raise
        if state is JobState.DONE:
            landing.remove(manifest.delivery)
            log.say("the job was canceled meanwhile: nothing is published")
        _log.info("%s: built", claim.identity)
        return None

    def _finish(self, claim: Claim, result: BuildResult, heartbeat: Heartbeat, log: JobLog) -> None:
        reason = f": {result.reason}" if result.reason else ""
        kind = f" ({result.failure})" if result.failure else ""
        given_up = result.stopped in {Stop.LOST, Stop.SHUTDOWN, Stop.CANCELED, Stop.UNFIT}
        ended = result.reason if given_up else f"{result.outcome.name}{kind}{reason}"
        _log.info("%s: %s", claim.identity, ended)
        log.say(f"ended: {ended}")
        log.flush()
        if result.stopped is Stop.LOST:
            return
        heartbeat.retry_while_held(claim, lambda: self._tell(claim, result))

    def _tell(self, claim: Claim, result: BuildResult) -> None:
        if result.stopped in {Stop.SHUTDOWN, Stop.UNFIT}:
            self._queue.release(claim, result.reason)
        elif result.is_retried_later or self._is_tried_again(claim, result):
            self._queue.retry_later(claim, result.reason)
        else:
            self._queue.finish(
                claim, result.outcome, result.reason, failure=result.failure, notes=result.notes
            )

    def _is_tried_again(self, claim: Claim, result: BuildResult) -> bool:
        """Tell whether a failure that may pass is not to hold up a rebuild group yet."""
        retries = self._builder.settings.group_retries
        return bool(claim.group) and result.may_pass and claim.attempt <= retries

    def _headline(self, claim: Claim) -> str:
        spec = claim.spec
        return (
            f"building {spec.pkgbase} for {spec.target_repo}/{spec.arch} "
            f"from {spec.source_repo} at commit {spec.commit}, "
            f"job {claim.job_id}, attempt {claim.attempt}, on {self.identity.name}"
        )

    def _next_claim(self, wait: float) -> Claim | None:
        try:
            self._upkeep.do()
            self._tidy()
            if not self._is_ready():
                self._stop.wait(min(wait, self._readiness.pause))
                return None
            return self._queue.claim(self.identity, wait=wait)
        except TemporaryError as error:
            _log.warning("%s", error)
            self._stop.wait(_RETRY_AFTER)
            return None

    def _is_ready(self) -> bool:
        if time.monotonic() < self._next_look:
            return False
        problem = self._readiness.problem()
        self._next_look = time.monotonic() + self._readiness.pause if problem else 0.0
        is_drained = self._tell_trouble(problem)
        return is_drained or not problem

    def _tell_trouble(self, problem: str) -> bool:
        """Tell what is wrong, or that nothing is; return whether somebody asked us to end."""
        is_drained = False
        if problem and problem != self._trouble:
            _log.warning("this worker takes no jobs: %s", problem)
        elif self._trouble and not problem:
            _log.info("this worker takes jobs again")
        if self._presence is not None and problem:
            is_drained = self._presence.takes_no_jobs(self.identity, problem)
        elif self._presence is not None and self._trouble:
            self._presence.is_well(self.identity)
        self._trouble = problem
        return is_drained

    def _tidy(self) -> None:
        if time.monotonic() < self._next_tidying:
            return
        self._next_tidying = time.monotonic() + _TIDIED_EVERY
        try:
            self._builder.tidy()
        except (CaurError, OSError) as error:
            _log.warning("kept sources could not be looked through: %s", error)

    def _why_stop(self, claim: Claim, heartbeat: Heartbeat) -> Stop | None:
        if heartbeat.has_lost(claim):
            return Stop.LOST
        if heartbeat.is_canceled(claim):
            return Stop.CANCELED
        return Stop.SHUTDOWN if self._stop.is_set() else None
