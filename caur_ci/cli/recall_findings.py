"""What is known to have come from a package: decisions, jobs, files, and the states with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.pipeline.shared.state_branch import StateBranch
from caur_ci.update.source import GONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from caur_ci.pipeline.holding import Keeper
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.holds import Hold
    from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
    from caur_ci.update.source import LastSeen
    from scheduler.database.traces import Trace
    from scheduler.job import Outcome
    from scheduler.queue import JobView, Queue

# Jobs of each kind that are looked through.
_LOOKED_AT = 100_000
_UPSTREAM = "CI_GIT_COMMIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A job as the queue remembers it.

    `commit` is that of the package repository, empty where the queue has forgotten it. `ended` is
    in Unix seconds, 0 where it has not; `outcome` is None then.
    """

    job_id: int
    identity: str
    commit: str
    attempts: int
    submitted: float
    ended: float
    outcome: Outcome | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All of it about one package.

    `source_commit` is what was taken over last from where the package comes from. `decisions` are
    those that led to builds, newest first. `traces` is None where the repositories are not on this
    machine.
    """

    package: str
    is_gone: bool
    is_recalled: bool
    hold: Hold | None
    maintainer: str
    source_commit: str
    decisions: tuple[LedgerEntry, ...] = ()
    builds: tuple[Build, ...] = ()
    traces: tuple[Trace, ...] | None = None
    targets: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigation:
    """Looks for what came from packages of the repository of `keeper`, in all places there are.

    `root` is REPO_PATH, None where the repositories are elsewhere. `arch` is that of the target
    repository that `.ci/config` names.
    """

    keeper: Keeper
    memory: Memory
    queue: Queue | None
    root: Path | None
    arch: str

    def suspects(self) -> list[str]:
        """Return the packages that are gone, or that a run has put on hold, and not recalled."""
        automatic = {name for name, it in self.memory.holds.packages.items() if it.automatic}
        return sorted(automatic.union(self.memory.seen.gone()) - self.memory.recalled)

    def findings(self, packages: Sequence[str]) -> list[Findings]:
        """Return what is known about packages. Raises OSError where the disk is the trouble."""
        builds = self._builds(packages)
        git = self.keeper.context.git
        snapshot = self.keeper.context.shared.snapshot(self.keeper.context.branch)
        state = StateBranch.read(git, snapshot.state)
        return [
            self._about(name, builds.get(name, []), state.values(name).get(_UPSTREAM, ""))
            for name in packages
        ]

    def _about(self, name: str, builds: Iterable[Build], upstream: str) -> Findings:
        seen: LastSeen = self.memory.seen.get(name)
        traces = self._traces(name)
        targets = {(self.keeper.config.target_repo, self.arch)}
        targets.update(_place_of(build.identity) for build in builds)
        targets.update((trace.target_repo, trace.arch) for trace in traces or ())
        return Findings(
            package=name,
            is_gone=seen.modified == GONE,
            is_recalled=name in self.memory.recalled,
            hold=self.memory.holds.get(name),
            maintainer=seen.maintainer,
            source_commit=seen.commit or upstream,
            decisions=tuple(
                it
                for it in self.memory.ledger.about(name)
                if it.package == name and it.decision in {"update", "build"}
            ),
            builds=tuple(builds),
            traces=traces,
            targets=tuple(sorted(targets)),
        )

    def _traces(self, name: str) -> tuple[Trace, ...] | None:
        from scheduler.database.traces import traces_of  # noqa: PLC0415 - slow to import

        if self.root is None:
            return None
        return tuple(traces_of(self.root, name, self.keeper.config.source_repo))

    def _builds(self, packages: Sequence[str]) -> dict[str, list[Build]]:
        found: dict[str, list[Build]] = {}
        for job in self._jobs({*packages}):
            spec = self.queue.spec(job.job_id) if self.queue else None
            if spec is not None and spec.source_repo != self.keeper.config.source_repo:
                continue
            build = Build(
                job_id=job.job_id,
                identity=job.identity,
                commit=spec.commit if spec else "",
                attempts=job.attempt,
                submitted=job.submitted,
                ended=job.finished,
                outcome=job.outcome,
                reason=job.reason,
            )
            found.setdefault(job.identity.rpartition("/")[2], []).append(build)
        return found

    def _jobs(self, packages: set[str]) -> list[JobView]:
        if self.queue is None:
            return []
        snapshot = self.queue.snapshot(limit=_LOOKED_AT)
        jobs = (
            *(*snapshot.active, *snapshot.ready, *snapshot.waiting, *snapshot.held),
            *(*snapshot.delayed, *snapshot.quarantine, *snapshot.recent),
        )
        named = {job.job_id: job for job in jobs if job.identity.rpartition("/")[2] in packages}
        for name in packages:
            named |= {job.job_id: job for job in self.queue.find(name)}
        return [named[job_id] for job_id in sorted(named)]


def _place_of(identity: str) -> tuple[str, str]:
    target_repo, arch, _ = identity.split("/")
    return target_repo, arch
