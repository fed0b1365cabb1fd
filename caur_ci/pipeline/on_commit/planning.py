"""Plans what follows from pushed commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.names import is_package_name
from caur_ci.pipeline.on_commit.build_classes import build_classes
from caur_ci.pipeline.on_commit.commit_range import CommitRange, TagPosition, find_range
from caur_ci.pipeline.on_commit.deploy import Deploys, read_deploys
from caur_ci.pipeline.on_commit.plan import CommitPlan
from caur_ci.pipeline.shared.decision import PackageAction, PackageDecision
from caur_ci.pipeline.shared.documents.folder import SCHEDULE, SCHEDULE_PARAMS
from caur_ci.pipeline.shared.documents.handover import handover_documents
from caur_ci.pipeline.shared.documents.legacy import not_expressible
from caur_ci.pipeline.shared.reading import CommittedRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.repository import RefSnapshot
    from caur_ci.request import BuildRequest


@dataclass(frozen=True, slots=True)
class CommitPlanner:
    """Plans what is to be done for one commit, whose packages are in `repository`."""

    context: RunContext
    repository: CommittedRepository

    @classmethod
    def at(cls, context: RunContext, commit: str) -> Self:
        """Read the repository at `commit`. Raises ConfigError for its `.ci/config`."""
        return cls(context, CommittedRepository.read(context.git, commit))

    def plan(self, snapshot: RefSnapshot) -> CommitPlan:
        """Decide what is to be done, given where the shared refs are.

        Raises InputError for a deploy of a package that does not exist, ConfigError for a
        `.CI/config` that cannot be used, GitError where history that is needed cannot be had.
        """
        commits = find_range(
            self.context.git,
            self.context.shared.remote,
            head=self.repository.commit,
            tag=snapshot.tag,
        )
        deploys = Deploys() if commits.is_empty else self._deploys(commits)
        decisions, class_warnings = self._decisions(commits, deploys)
        documents = handover_documents(
            self.context,
            decisions,
            commit=commits.head,
            tree=self.repository.tree,
            config=self.repository.config,
        )
        return CommitPlan(
            commits=commits,
            decisions=tuple(decisions),
            documents=documents,
            warnings=(
                *self.repository.config_warnings,
                *self._range_warnings(commits),
                *class_warnings,
                *self._folder_warnings(),
                *_legacy_warnings(documents.request, self.repository.tree.packages),
            ),
            notes=tuple(deploys.notes),
        )

    def _decisions(
        self, commits: CommitRange, deploys: Deploys
    ) -> tuple[list[PackageDecision], tuple[str, ...]]:
        """Return what is to happen to packages, and what is odd about their build classes."""
        if commits.is_empty:
            return [], ()
        builds, removals = self._changes(commits, deploys)
        classes = build_classes(
            self.repository.folders,
            self.repository.config,
            {name: deploys.packages.get(name) for name in builds},
        )
        decisions = [
            PackageDecision(name, PackageAction.BUILD, reason, classes.by_package[name])
            for name, reason in builds.items()
        ]
        decisions += (
            PackageDecision(name, PackageAction.REMOVE, reason) for name, reason in removals.items()
        )
        return decisions, classes.warnings

    def _deploys(self, commits: CommitRange) -> Deploys:
        messages = self.context.git.messages(commits.messages_from, commits.head)
        return read_deploys(messages, self.repository.folders.packages, self._existed_at)

    def _existed_at(self, commit: str, name: str) -> bool:
        return is_package_name(name) and self.context.git.has_folder(commit, name)

    def _changes(
        self, commits: CommitRange, deploys: Deploys
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return which packages are to be built and which are gone, sorted, with reasons."""
        builds = dict(deploys.reasons)
        removals: dict[str, str] = {}
        for change in self.context.git.changes(commits.old_tree, commits.head):
            if change.name.startswith(".") or not is_package_name(change.name):
                continue
            if change.is_folder:
                builds[change.name] = "changed" if change.was_folder else "added"
            elif change.was_folder:
                removals[change.name] = "its folder was removed or renamed"
        return dict(sorted(builds.items())), dict(sorted(removals.items()))

    def _range_warnings(self, commits: CommitRange) -> Iterator[str]:
        if commits.position in {TagPosition.AHEAD, TagPosition.REWRITTEN, TagPosition.UNRELATED}:
            yield commits.position.value
        ours = self.context.pipeline.commit
        if ours and ours != commits.head:
            yield f"the pipeline runs for {ours[:12]}, but HEAD is {commits.head[:12]}"

    def _folder_warnings(self) -> Iterator[str]:
        yield from self.repository.folder_warnings
        for name in self.repository.folders.packages:
            if name != name.lower():
                yield f"{name} has capitals in its name, which pacman advises against"


def _legacy_warnings(request: BuildRequest, keep: tuple[str, ...]) -> Iterator[str]:
    for name in not_expressible(request):
        yield (f"{name} is in {SCHEDULE} only: {SCHEDULE_PARAMS} cannot carry its name")
    if request.remove and not keep:
        yield (
            f"no package is left: {SCHEDULE_PARAMS} has no auto-repo-remove, because "
            "an empty list of packages to keep would say nothing"
        )
