"""Reads what pushed commits change, and plans what follows from that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.config import read_repository_config
from caur_ci.deptree import DependencyTree, entries_of, write_wire
from caur_ci.git import GitRepository, Identity
from caur_ci.names import is_package_name
from caur_ci.pipeline.on_commit.commit_range import CommitRange, TagPosition, find_range
from caur_ci.pipeline.on_commit.deploy import Deploys, read_deploys
from caur_ci.pipeline.on_commit.plan import CommitAction, CommitDecision, CommitPlan
from caur_ci.pipeline.shared.documents import legacy
from caur_ci.pipeline.shared.documents.assembly import build_classes, build_request
from caur_ci.pipeline.shared.documents.folder import SCHEDULE, SCHEDULE_PARAMS
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.repository import CommittedFolders, unusable_folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.pipeline.shared.repository import RefSnapshot, SharedRepository
    from caur_ci.request import BuildRequest


class CommitPlanner:
    """Reads what the plan for one commit follows from."""

    def __init__(
        self, git: GitRepository, shared: SharedRepository, head: str, environ: Mapping[str, str]
    ) -> None:
        self._git = git
        self._shared = shared
        self._environ = environ
        self._pipeline = ForgePipeline.from_environment(environ)
        self._folders = CommittedFolders.at(git, head)
        self._config = read_repository_config(git, head)
        self._tree = DependencyTree.read_each(self._folders.each(".SRCINFO"))

    def identity(self) -> Identity:
        """Return who commits to branch `caur`."""
        config = self._config.config
        return Identity(config.author_name, config.author_email)

    def plan(self, snapshot: RefSnapshot) -> CommitPlan:
        """Decide what is to be done, given where the shared refs are."""
        commits = find_range(
            self._git, self._shared.remote, head=self._folders.commit, tag=snapshot.tag
        )
        config = self._config.config
        deploys = Deploys()
        decisions: list[CommitDecision] = []
        warnings = [*self._config.warnings, *self._range_warnings(commits)]
        if not commits.is_empty:
            deploys = self._deploys(commits)
            builds, removals = self._changes(commits, deploys)
            classes = build_classes(
                self._folders, config, {name: deploys.packages.get(name) for name in builds}
            )
            decisions = [
                *(
                    CommitDecision(n, CommitAction.BUILD, r, classes.by_package[n])
                    for n, r in builds.items()
                ),
                *(
                    CommitDecision(name, CommitAction.REMOVE, reason)
                    for name, reason in removals.items()
                ),
            ]
            warnings += classes.warnings
        request = build_request(
            decisions,
            commit=commits.head,
            tree=self._tree,
            config=config,
            pipeline=self._pipeline,
        )
        return CommitPlan(
            commits=commits,
            decisions=tuple(decisions),
            request=request,
            schedule_params=legacy.schedule_params(
                request, config, keep=self._folders.packages, environ=self._environ
            ),
            deptree=write_wire(entries_of(self._tree)),
            warnings=(
                *warnings,
                *self._folder_warnings(),
                *_legacy_warnings(request, self._folders.packages),
            ),
            notes=tuple(deploys.notes),
        )

    def _deploys(self, commits: CommitRange) -> Deploys:
        messages = self._git.messages(commits.messages_from, commits.head)
        return read_deploys(messages, self._folders.packages, self._existed_at)

    def _existed_at(self, commit: str, name: str) -> bool:
        return is_package_name(name) and self._git.has_folder(commit, name)

    def _changes(
        self, commits: CommitRange, deploys: Deploys
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return which packages are to be built and which are gone, sorted, with reasons."""
        builds = dict(deploys.reasons)
        removals: dict[str, str] = {}
        for change in self._git.changes(commits.old_tree, commits.head):
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
        ours = self._pipeline.commit
        if ours and ours != commits.head:
            yield f"the pipeline runs for {ours[:12]}, but HEAD is {commits.head[:12]}"

    def _folder_warnings(self) -> Iterator[str]:
        yield from unusable_folders(self._folders)
        for name in self._folders.packages:
            if name != name.lower():
                yield f"{name} has capitals in its name, which pacman advises against"
        for problem in self._tree.problems:
            yield problem.message


def _legacy_warnings(request: BuildRequest, keep: tuple[str, ...]) -> Iterator[str]:
    for name in legacy.not_expressible(request):
        yield (f"{name} is in {SCHEDULE} only: {SCHEDULE_PARAMS} cannot carry its name")
    if request.remove and not keep:
        yield (
            f"no package is left: {SCHEDULE_PARAMS} has no auto-repo-remove, because "
            "an empty list of packages to keep would say nothing"
        )
