"""From what sources found to what is done about each package. Makes git objects, changes no ref."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from caur_ci.errors import CaurError, InputError
from caur_ci.judge.model import Judgement, PackageContext
from caur_ci.judge.package import files_of_trees
from caur_ci.names import is_ref_name
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision
from caur_ci.policy import Action, action_of, decide, trust_finding
from caur_ci.review import ReviewPoint
from caur_ci.srcinfo import parse_fields
from caur_ci.update.changes import judge_change
from caur_ci.update.formatting import formatted
from caur_ci.update.hook import HOOK
from caur_ci.update.source import FindingKind, SourceFinding
from caur_ci.update.takeover import NEEDED, take_over
from caur_ci.update.vcs.source import COMMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.git import GitRepository
    from caur_ci.judge.limited import ChangeJudge
    from caur_ci.judge.model import Finding
    from caur_ci.judge.package import File
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.on_schedule.provenance import Provenance
    from caur_ci.pipeline.shared.progress import Progress
    from caur_ci.policy import Decided
    from caur_ci.update.hook import HookResult
    from caur_ci.update.source import FollowedPackage, LastSeen
    from caur_ci.update.vcs.seen import VcsOutcome

_log = logging.getLogger(__name__)

_WITHOUT_FILES = {
    FindingKind.WAITING: ScheduleAction.WAITING,
    FindingKind.FAILED: ScheduleAction.FAILED,
    FindingKind.GONE: ScheduleAction.GONE,
}


class RunHook(Protocol):
    """Runs the hook of a package on a tree of its folder."""

    def __call__(self, package: str, tree: str) -> HookResult:
        """Return what became of it. Raises nothing for what the hook does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedUpdate:
    """What is done about one package.

    `tree` is its new folder, for updates and reviews. `seen` and `state` are to be remembered when
    that is done, `reasons` are what somebody should look at; `points` say the same with places.
    `merges` is the commit of a review that this takes over. `files` is what was found about the
    package's files, None where nobody looked; `vcs` is to be remembered of its upstream. `vanished`
    says what it leads to that the package is gone from its source: to more than being told, and it
    is put on hold.
    """

    package: FollowedPackage
    decision: ScheduleDecision
    tree: str = ""
    seen: LastSeen | None = None
    state: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    points: tuple[ReviewPoint, ...] = ()
    merges: str = ""
    vanished: Action = Action.APPLY
    files: FindingKind | None = None
    vcs: VcsOutcome | None = None

    @property
    def new_state(self) -> Mapping[str, str]:
        """What is to be remembered on branch `state`; CI_GIT_COMMIT moves on with a build only."""
        commit = self.vcs.commit(builds=self.decision.builds) if self.vcs else ""
        if not commit or commit == self.package.state.get(COMMIT):
            return self.state
        return {**self.state, COMMIT: commit}


class UpdatePlanner:
    """Decides about the packages of one repository.

    `now` is in Unix seconds. `has_reviews` tells whether there is a forge where changes can be put
    to review.
    """

    def __init__(
        self,
        git: GitRepository,
        repository: FollowedRepository,
        *,
        run_hook: RunHook,
        judge: ChangeJudge,
        provenance: Provenance,
        now: float,
        has_reviews: bool,
    ) -> None:
        self._git = git
        self._repository = repository
        self._run_hook = run_hook
        self._judge = judge
        self._provenance = provenance
        self._now = now
        self._has_reviews = has_reviews
        scripts = repository.committed.folders.read(HOOK, repository.packages)
        self._hooked = {name for name, script in scripts.items() if script is not None}

    def decide(
        self, findings: Mapping[str, SourceFinding], progress: Progress
    ) -> list[PlannedUpdate]:
        """Return what is done about every package, in the order of their names.

        Packages without a finding are followed nowhere.
        """
        nothing = SourceFinding(kind=FindingKind.UNCHANGED)
        packages = self._repository.packages
        work = [
            name
            for name in packages
            if name in self._hooked or findings.get(name, nothing).kind is FindingKind.FILES
        ]
        progress.begin("Comparing packages", len(work))

        def work_on(name: str) -> PlannedUpdate:
            planned = self._work_on(packages[name], findings.get(name, nothing))
            progress.advance()
            return planned

        # Each thread has a judge of its own, whose start costs more than many a judgement.
        parallel = min(self._repository.committed.config.max_parallel, os.cpu_count() or 1)
        with ThreadPoolExecutor(parallel) as pool:
            worked = dict(zip(work, pool.map(work_on, work), strict=True))
        return [
            worked.get(name) or self._without_files(package, findings.get(name, nothing))
            for name, package in packages.items()
        ]

    def _without_files(self, package: FollowedPackage, finding: SourceFinding) -> PlannedUpdate:
        builds = finding.kind is FindingKind.BUILD and not package.config.on_trigger
        action = _WITHOUT_FILES.get(
            finding.kind, ScheduleAction.BUILD if builds else ScheduleAction.UNCHANGED
        )
        return PlannedUpdate(
            package=package,
            decision=self._decision(package, finding, action, finding.reason, builds=builds),
            seen=finding.seen,
            state=finding.state,
            files=finding.files_kind,
            vcs=finding.vcs,
            vanished=self._vanished(package, finding),
        )

    def _vanished(self, package: FollowedPackage, finding: SourceFinding) -> Action:
        """Return what it leads to that a package is gone where it was seen before."""
        if finding.files_kind is not FindingKind.GONE or package.seen.modified <= 0:
            return Action.APPLY
        return action_of(
            self._repository.policy,
            package.name,
            trust_finding("aur-gone"),
            trusted=False,
            wants_reviews=self._repository.committed.config.human_review,
        )

    def _work_on(self, package: FollowedPackage, finding: SourceFinding) -> PlannedUpdate:
        if finding.files_kind in _WITHOUT_FILES:
            return self._without_files(package, finding)
        output = ""
        try:
            taken = package.tree
            if finding.kind is FindingKind.FILES:
                config = self._repository.committed.config
                taken = take_over(
                    self._git,
                    source=finding.tree,
                    own=package.tree,
                    needed=("PKGBUILD",) if config.generate_srcinfo else NEEDED,
                )
                if config.shfmt:
                    taken = formatted(self._git, taken)
            tree = taken
            if package.name in self._hooked:
                hook = self._run_hook(package.name, taken)
                output = hook.output
                if hook.problem:
                    return self._failed(package, finding, hook.problem, output)
                tree = hook.tree
            if tree == package.tree:
                quiet = replace(
                    finding,
                    kind=_unless_files(finding.kind),
                    files=_unless_files(finding.files_kind),
                )
                planned = self._without_files(package, quiet)
                return replace(planned, decision=replace(planned.decision, output=output))
            return self._with_files(package, finding, taken=taken, tree=tree, output=output)
        except CaurError as error:
            return self._failed(package, finding, error.message, output)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's files do is theirs
            _log.debug("%s", package.name, exc_info=True)
            return self._failed(package, finding, f"its files cannot be read: {error!r}", output)

    def _with_files(
        self,
        package: FollowedPackage,
        finding: SourceFinding,
        *,
        taken: str,
        tree: str,
        output: str,
    ) -> PlannedUpdate:
        after = self._version_of(package.name, tree)
        # The hook is the repository owner's own, and a folder without files waits to be filled from
        # the source that its owner has chosen: that needs nobody's review.
        is_new = package.name in self._repository.committed.empty
        review = finding.review if taken != package.tree and not is_new else ""
        decided = self._decided(package, finding, taken)
        action, waits = self._action(package, decided, review=review)
        if action is ScheduleAction.UPDATE:
            ours = taken == package.tree
            reason = f"changed by {HOOK}" if ours else finding.reason or "changed"
        else:
            told = (finding.reason, review, decided.summary) if review else (decided.summary,)
            reason = waits or "; ".join(text for text in told if text)
        decision = replace(
            self._decision(
                package,
                finding,
                action,
                reason,
                builds=action is ScheduleAction.UPDATE and not package.config.on_trigger,
            ),
            after=after,
            output=output,
            judgement=decided.judgement.to_dict(),
        )
        if action is ScheduleAction.UPDATE and decided.remark:
            decision = replace(decision, remarks=(*decision.remarks, decided.remark))
        if action is ScheduleAction.WAITING or decided.action is Action.HOLD:
            # It is looked at again by each run: time passes, and policies change.
            return PlannedUpdate(package=package, decision=decision)
        return PlannedUpdate(
            package=package,
            decision=decision,
            tree=tree,
            seen=finding.seen,
            state=finding.state,
            files=finding.files_kind,
            vcs=finding.vcs,
            reasons=(*([review] if review else ()), *decided.reasons),
            points=tuple(map(_point, decided.judgement.findings)),
        )

    def _decided(self, package: FollowedPackage, finding: SourceFinding, taken: str) -> Decided:
        """Return what the repository's policy makes of what a source would change."""
        is_new = package.name in self._repository.committed.empty
        changed = taken != package.tree
        judgement = self._judged(package, taken) if changed and not is_new else Judgement.of(())
        files: Mapping[str, File] = {}
        if changed and self._repository.policy.indicators:
            (files,) = files_of_trees(self._git, taken)
        return decide(
            self._repository.policy,
            package.name,
            judgement,
            wants_reviews=self._repository.committed.config.human_review,
            now=self._now,
            files=files,
            vouched=self._provenance.vouched(package, finding) if changed else None,
        )

    def _action(
        self, package: FollowedPackage, decided: Decided, *, review: str
    ) -> tuple[ScheduleAction, str]:
        """Return what is done, and the reason where that is not what was found."""
        if decided.action is Action.APPLY and not review:
            if self._now < decided.not_before:
                until = datetime.fromtimestamp(decided.not_before, UTC)
                return ScheduleAction.WAITING, f"new; taken over after {until:%Y-%m-%d %H:%M} UTC"
            return ScheduleAction.UPDATE, ""
        if decided.action is Action.HOLD:
            return ScheduleAction.HELD, f"held by the policy: {decided.summary}"
        if not is_ref_name(package.name):
            raise InputError(f"it needs a review, and no branch can be named update-{package.name}")
        if decided.action is Action.ALARM:
            return ScheduleAction.ALARM, ""
        # Where nobody wants reviews, a danger is held all the same.
        wanted = self._repository.committed.config.human_review or bool(review)
        can_ask = wanted and self._has_reviews
        return ScheduleAction.REVIEW if can_ask else ScheduleAction.HELD, ""

    def _judged(self, package: FollowedPackage, tree: str) -> Judgement:
        """Judge what a source would change."""
        context = PackageContext(
            name=package.name,
            allow=package.config.change_allow_regex,
            others=frozenset(self._repository.committed.folders.packages) - {package.name},
            generates_srcinfo=self._repository.committed.config.generate_srcinfo,
        )
        return judge_change(self._git, package.tree, tree, judge=self._judge, package=context)

    def _version_of(self, name: str, tree: str) -> str:
        """Return the version of a package's new files. Raises InputError where they have none."""
        data = self._repository.committed.folders.srcinfo_in(tree, name)
        if data is None:
            raise InputError("the new files have no .SRCINFO")
        if isinstance(data, InputError):
            raise data
        return parse_fields(data, origin=f"the new {name}/.SRCINFO").version

    def _failed(
        self, package: FollowedPackage, finding: SourceFinding, reason: str, output: str = ""
    ) -> PlannedUpdate:
        decision = self._decision(package, finding, ScheduleAction.FAILED, reason)
        return PlannedUpdate(
            package=package,
            decision=replace(decision, output=output),
            files=finding.files_kind,
            vcs=finding.vcs,
        )

    def _decision(
        self,
        package: FollowedPackage,
        finding: SourceFinding,
        action: ScheduleAction,
        reason: str,
        *,
        builds: bool = False,
    ) -> ScheduleDecision:
        config = package.config
        return ScheduleDecision(
            package=package.name,
            action=action,
            reason=reason,
            before=package.fields.version if package.fields else "",
            link=finding.link,
            remarks=finding.remarks,
            builds=builds,
            build_class=config.build_class or self._repository.committed.config.default_class,
        )


def _unless_files(kind: FindingKind) -> FindingKind:
    """Return what is left of a finding whose files turned out to be those that are there."""
    return FindingKind.UNCHANGED if kind is FindingKind.FILES else kind


def _point(finding: Finding) -> ReviewPoint:
    return ReviewPoint(
        message=finding.message,
        severity=finding.severity.value,
        code=finding.code,
        file=finding.file,
        line=finding.line,
    )
