"""Plans what follows from pushed commits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from caur_ci.deptree import ProblemKind
from caur_ci.expectation import FILES
from caur_ci.names import is_package_name
from caur_ci.package_folders import CommittedFolders
from caur_ci.pipeline.on_commit.build_classes import build_classes
from caur_ci.pipeline.on_commit.commit_range import CommitRange, TagPosition, find_range
from caur_ci.pipeline.on_commit.deploy import DeployRequests, read_deploys
from caur_ci.pipeline.on_commit.plan import CommitPlan
from caur_ci.pipeline.on_commit.remarks import missed_packages, stale_srcinfos, unchanged_versions
from caur_ci.pipeline.on_commit.validity import errors_in
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.decision import PackageAction, PackageDecision
from caur_ci.pipeline.shared.documents.folder import SCHEDULE, SCHEDULE_PARAMS
from caur_ci.pipeline.shared.documents.handover import handover_documents
from caur_ci.pipeline.shared.documents.legacy import not_expressible
from caur_ci.pipeline.shared.memory.holds import told_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.deptree import Problem
    from caur_ci.pipeline.on_commit.build_classes import BuildClasses
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.holds import Hold, Holds
    from caur_ci.pipeline.shared.refs import RefSnapshot
    from caur_ci.request import BuildRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """What a range of commits does to packages.

    `builds` and `removals` have a reason each and are sorted. Of those to be built, `modified`
    were there before, and `empty` have no PKGBUILD. Those in `on_hold` are not built now.
    """

    builds: Mapping[str, str] = field(default_factory=dict)
    removals: Mapping[str, str] = field(default_factory=dict)
    modified: tuple[str, ...] = ()
    empty: frozenset[str] = frozenset()
    on_hold: Mapping[str, Hold] = field(default_factory=dict)

    def told(self, reasons: Mapping[str, str]) -> _Changes:
        """Return the same changes, for the reasons that are known better."""
        if not reasons:
            return self
        return replace(
            self,
            builds={name: reasons.get(name, why) for name, why in self.builds.items()},
            removals={name: reasons.get(name, why) for name, why in self.removals.items()},
        )


@dataclass(frozen=True, slots=True)
class CommitPlanner:
    """Plans what is to be done for one commit, whose packages are in `repository`."""

    context: RunContext
    repository: CommittedRepository

    @classmethod
    def at(cls, context: RunContext, commit: str) -> Self:
        """Read the repository at `commit`. Raises ConfigError for its `.ci/config`."""
        return cls(context, CommittedRepository.read(context.git, commit))

    def plan(self, snapshot: RefSnapshot, told: Mapping[str, str] | None = None) -> CommitPlan:
        """Decide what is to be done, given where the shared refs are.

        `told` are the reasons that somebody gave for changes of packages.

        Raises InputError for a deploy of a package that does not exist, GitError where history
        that is needed cannot be had.
        """
        commits = find_range(
            self.context.git,
            self.context.shared.remote,
            head=self.repository.commit,
            tag=snapshot.tag,
        )
        deploys = DeployRequests() if commits.is_empty else self._deploys(commits)
        holds = self.context.shared.memory(snapshot).holds
        changes = _Changes() if commits.is_empty else self._changes(commits, deploys, holds)
        changes = changes.told(told or {})
        classes = build_classes(
            self.repository.folders,
            self.repository.config,
            {name: deploys.packages.get(name) for name in changes.builds},
        )
        decisions = tuple(self._decisions(changes, classes))
        documents = handover_documents(self.context, decisions, self.repository)
        return CommitPlan(
            commits=commits,
            decisions=decisions,
            documents=documents,
            warnings=tuple(
                dict.fromkeys(
                    (
                        *self.repository.config_warnings,
                        *self._range_warnings(commits),
                        *classes.warnings,
                        *self._package_warnings(commits, changes),
                        *self.repository.folder_warnings(but=changes.builds),
                        *_legacy_warnings(documents.request, self.repository.deptree.packages),
                    )
                )
            ),
            notes=(*_range_notes(commits, deploys), *deploys.notes, *self._empty_notes(changes)),
            on_hold={name: changes.builds[name] for name in changes.on_hold},
        )

    def _decisions(self, changes: _Changes, classes: BuildClasses) -> Iterator[PackageDecision]:
        """Yield what is to happen to packages; one that cannot be used costs no other its build."""
        targets = self.repository.build_targets(changes.builds)
        for name, reason in changes.builds.items():
            if name in changes.on_hold:
                held = f"{changes.on_hold[name]}; left out: {reason}"
                yield PackageDecision(name, PackageAction.HELD, held)
            elif name in classes.unusable:
                problem = classes.unusable[name]
                yield PackageDecision(name, PackageAction.LEFT_OUT, problem)
            elif not targets[name]:
                left_out = self.repository.no_target(name)
                yield PackageDecision(name, PackageAction.LEFT_OUT, left_out)
            elif name not in changes.empty:
                yield PackageDecision(name, PackageAction.BUILD, reason, classes.by_package[name])
        for name, reason in changes.removals.items():
            yield PackageDecision(name, PackageAction.REMOVE, reason)

    def _deploys(self, commits: CommitRange) -> DeployRequests:
        messages = self.context.git.messages(commits.messages_after, commits.head)
        return read_deploys(messages, self.repository.folders.packages, self._existed_at)

    def _existed_at(self, commit: str, name: str) -> bool:
        return is_package_name(name) and self.context.git.has_folder(commit, name)

    def _changes(self, commits: CommitRange, deploys: DeployRequests, holds: Holds) -> _Changes:
        known = {*self.repository.folders.packages}
        builds = {name: told_of(why) for name, why in holds.released.items() if name in known}
        builds |= deploys.reasons
        removals: dict[str, str] = {}
        modified: list[str] = []
        for change in self.context.git.changes(commits.diff_base, commits.head):
            if change.name.startswith(".") or not is_package_name(change.name):
                continue
            if change.is_folder:
                builds[change.name] = "changed" if change.was_folder else "added"
                modified += [change.name] if change.was_folder else []
            elif change.was_folder:
                removals[change.name] = "its folder was removed or renamed"
        buildable = self.repository.folders.having("PKGBUILD", builds)
        return _Changes(
            builds=dict(sorted(builds.items())),
            removals=dict(sorted(removals.items())),
            modified=tuple(name for name in modified if name in buildable),
            empty=frozenset(builds) - buildable,
            on_hold={
                name: hold for name in sorted(buildable) if (hold := holds.get(name)) is not None
            },
        )

    def _range_warnings(self, commits: CommitRange) -> Iterator[str]:
        if commits.position in {TagPosition.AHEAD, TagPosition.REWRITTEN, TagPosition.UNRELATED}:
            yield commits.position.value
        ours = self.context.forge_pipeline.commit
        if ours and ours != self.context.head:
            yield f"the pipeline runs for {ours[:12]}, but HEAD is {self.context.head[:12]}"

    def _package_warnings(self, commits: CommitRange, changes: _Changes) -> Iterator[str]:
        """Yield what is odd about the packages that are built or gone, before it is too late."""
        if not changes.builds and not changes.removals:
            return
        git, tree = self.context.git, self.repository.deptree
        for problem in tree.problems:
            if problem.package in changes.builds and problem.package not in changes.empty:
                yield _with_remedy(problem)
        before = CommittedFolders.at(
            git, commits.diff_base, generate=self.repository.config.generate_srcinfo
        )
        now = self.repository.folders.contents(FILES, changes.builds)
        yield from stale_srcinfos(now)
        yield from errors_in(git, commits.head, set(changes.builds) - changes.empty)
        yield from unchanged_versions(
            before.contents(FILES, changes.modified),
            {name: now[name] for name in changes.modified},
        )
        yield from missed_packages(before, changes.removals, tree)
        for name in changes.builds:
            if name != name.lower():
                yield f"{name} has capitals in its name, which pacman advises against"

    def _empty_notes(self, changes: _Changes) -> Iterator[str]:
        for name in sorted(changes.empty):
            yield (
                f"{name} has no PKGBUILD and is not built; on-schedule fills it where its "
                ".CI/config names a source"
            )


def _with_remedy(problem: Problem) -> str:
    if problem.kind in {ProblemKind.MISSING, ProblemKind.UNREADABLE}:
        return f"{problem.message}; `caur-ci srcinfo --write {problem.package}` writes it"
    return problem.message


def _range_notes(commits: CommitRange, deploys: DeployRequests) -> Iterator[str]:
    if commits.position is TagPosition.NO_TAG:
        yield "no tag `scheduled` on the remote: only the last commit was looked at"
    elif not commits.is_empty:
        count = f"{deploys.commits} commits" if deploys.commits != 1 else "1 commit"
        yield f"looked at {count} since the tag `scheduled`"


def _legacy_warnings(request: BuildRequest, keep: tuple[str, ...]) -> Iterator[str]:
    for name in not_expressible(request):
        yield (f"{name} is in {SCHEDULE} only: {SCHEDULE_PARAMS} cannot carry its name")
    if request.remove and not keep:
        yield (
            f"no package is left: {SCHEDULE_PARAMS} has no auto-repo-remove, because "
            "an empty list of packages to keep would say nothing"
        )
