"""What became of requests in the queue of a run, and how that is remembered.

A request leaves the outbox piece by piece: what failed as soon as that is known, what was built
when readers can have it. So a run that is killed at any moment leaves what the next one needs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.pipeline.shared.memory.failed_builds import FailedBuild
from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
from caur_ci.pipeline.shared.memory.standalone_run import OnItsWay
from caur_ci.standalone.report import PackageResult
from scheduler.diagnosis import explain
from scheduler.history import BuildLogs, job_of_record
from scheduler.job import JobState, Outcome, jobs_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.standalone_run import StandaloneRun
    from caur_ci.request import BuildRequest
    from caur_ci.standalone.share import Build
    from scheduler.job import JobSpec
    from scheduler.logs import LogStore
    from scheduler.queue import Queue, Refusal
    from scheduler.queue.notes import JobRecord

RUN = "run"
_FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Settled:
    """What was done of the requests in the outbox, and what was not, with the reason by folder.

    `removals` says by the ids of requests which folders are gone.
    """

    packages: tuple[PackageResult, ...]
    removals: Mapping[str, tuple[str, ...]]
    left: Mapping[str, str]

    @property
    def brought(self) -> list[PackageResult]:
        """The packages that readers do not have yet."""
        return [it for it in self.packages if it.files]

    @property
    def changes_something(self) -> bool:
        """Whether there is anything for readers."""
        return bool(self.brought or self.removals)

    def before_publishing(
        self, memory: Memory, run: StandaloneRun, link: str, now: float
    ) -> Memory:
        """Return the memory without what needs no publishing, and with what is on its way."""
        told = [it for it in self.packages if not it.files]
        failed = [it for it in told if it.has_failed]
        entries = [
            LedgerEntry(
                time=int(now),
                run=RUN,
                commit=it.commit,
                package=it.package,
                decision=_FAILED,
                reason=it.reason,
                link=link,
            )
            for it in failed
        ]
        return replace(
            memory,
            outbox=memory.outbox.settled(_by_request(told), ()),
            ledger=memory.ledger.add(entries),
            failed=memory.failed.after(
                (_remembered(it, link, now) for it in failed),
                {it.build for it in told if not it.has_failed},
            ),
            run=run.publishing(
                OnItsWay(request_id=it.request_id, package=it.package, arch=it.arch, files=it.files)
                for it in self.brought
            ),
        )

    def after_publishing(self, memory: Memory, run: StandaloneRun) -> Memory:
        """Return the memory when readers have it all."""
        gone = {name for folders in self.removals.values() for name in folders}
        kept = [name for name in memory.failed.packages if name not in gone]
        return replace(
            memory,
            outbox=memory.outbox.settled(_by_request(self.brought), self.removals),
            failed=memory.failed.only(kept).after((), {it.build for it in self.brought}),
            run=run.publishing(()),
        )


def got_through(memory: Memory, run: StandaloneRun, filenames: Collection[str]) -> Memory:
    """Return the memory without what a killed run has published, as `filenames` show."""
    there: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for it in run.on_its_way:
        if it.is_in(filenames):
            there[it.request_id].add((it.arch, it.package))
    built = {what for builds in there.values() for what in builds}
    return replace(
        memory,
        outbox=memory.outbox.settled(there, ()),
        failed=memory.failed.after((), built),
        run=run.publishing(()),
    )


@dataclass(slots=True, kw_only=True)
class Settler:
    """Looks up in the queue what became of requests; logs of builds go into the folder `folder`.

    `elsewhere` says of builds why they were not handed over, `refused` are jobs that the queue did
    not take, `failed_removals` says why some did not work, by the id of the request.
    """

    queue: Queue
    logs: LogStore
    folder: Path
    elsewhere: dict[Build, str]
    refused: dict[str, Refusal]
    failed_removals: dict[str, str]

    def settled(self, requests: Iterable[BuildRequest]) -> Settled:
        """Return what was done of requests, all of which were handed over."""
        packages: list[PackageResult] = []
        removals: dict[str, tuple[str, ...]] = {}
        left: dict[str, str] = {}
        open_removals = {it.request_id: it for it in self.queue.removals()}
        for request in requests:
            packages.extend(self._packages(request, left))
            if not request.remove:
                continue
            waiting = open_removals.get(request.request_id)
            if waiting is not None or request.request_id in self.failed_removals:
                why = self.failed_removals.get(request.request_id) or "not removed yet"
                why = waiting.reason if waiting is not None and waiting.held else why
                left.update(dict.fromkeys(request.remove, why))
            else:
                removals[request.request_id] = request.remove
        return Settled(tuple(packages), removals, left)

    def _packages(self, request: BuildRequest, left: dict[str, str]) -> Iterator[PackageResult]:
        for spec in jobs_of(request):
            build = (request.request_id, spec.arch, spec.pkgbase)
            if (why := self.elsewhere.get(build)) is not None:
                left[spec.pkgbase] = why
                continue
            if (refusal := self.refused.get(spec.identity)) is not None:
                yield PackageResult(
                    request_id=request.request_id,
                    package=spec.pkgbase,
                    arch=spec.arch,
                    commit=request.commit,
                    outcome=Outcome.FAILED,
                    reason=refusal.reason,
                )
                continue
            views = self.queue.find(spec.identity)
            ended = [it for it in views if it.state is JobState.DONE]
            if len(ended) < len(views) or not ended:
                left[spec.pkgbase] = next((it.reason for it in views if it.reason), "not built yet")
                continue
            record = self.queue.records([ended[-1].job_id]).get(ended[-1].job_id)
            if record is None:
                left[spec.pkgbase] = "the queue has forgotten it"
                continue
            yield self._result(request, spec, record)

    def _result(self, request: BuildRequest, spec: JobSpec, record: JobRecord) -> PackageResult:
        view, published = record.view, record.notes.publication
        result = PackageResult(
            request_id=request.request_id,
            package=spec.pkgbase,
            arch=spec.arch,
            commit=request.commit,
            outcome=view.outcome if view.outcome is not None else Outcome.FAILED,
            reason=view.reason,
            failure=view.failure,
            seconds=max(0.0, view.finished - view.started) if view.started else 0.0,
            files=tuple(file.filename for file in published.files) if published else (),
            log=self._saved_log(spec, view.job_id, view.attempt) if view.attempt else None,
        )
        job = job_of_record(record)
        if job is None:
            return result
        return replace(result, explanation=explain(job, logs=BuildLogs(self.logs, None)))

    def _saved_log(self, spec: JobSpec, job_id: int, attempt: int) -> Path:
        of_which = "" if spec.arch == DEFAULT_ARCHITECTURE else f"-{spec.arch}"
        path = self.folder / f"{spec.pkgbase}{of_which}.log"
        path.write_bytes(self.logs.read_all(job_id, attempt))
        return path


def _by_request(packages: Iterable[PackageResult]) -> dict[str, set[tuple[str, str]]]:
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for it in packages:
        found[it.request_id].add(it.build)
    return found


def _remembered(it: PackageResult, link: str, now: float) -> FailedBuild:
    return FailedBuild(
        package=it.package,
        arch=it.arch,
        commit=it.commit,
        reason=it.reason,
        time=int(now),
        link=link,
    )
