"""One package on its way to the AUR: what is there, whose it is, and one more commit on top."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.aur_repository.answers import AurRefusedError, AurWaitingError, OvertakenError
from caur_ci.aur_repository.belonging import with_left_there, without_left_there
from caur_ci.aur_repository.difference import difference
from caur_ci.aur_repository.remote import AurRemote
from caur_ci.aur_repository.scratch import scratch_repository
from caur_ci.git.trees import files_below
from caur_ci.pipeline.aur_pushing.outcome import AurOutcome, AurState
from caur_ci.pipeline.shared.commit_messages import aur_message
from caur_ci.pipeline.shared.memory.aur_pushes import Obstacle
from caur_ci.plaintext import one_line

if TYPE_CHECKING:
    from caur_ci.aur_repository.access import AurAccess
    from caur_ci.aur_repository.remote import AurTip
    from caur_ci.git import GitRepository, Identity
    from caur_ci.pipeline.aur_pushing.managed import ManagedPackage
    from caur_ci.pipeline.aur_pushing.own_history import OwnHistory
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.aur_pushes import AurPush

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """Brings packages to the AUR, or with `dry_run` only tells what it would bring.

    `over` is a commit of others at the AUR that somebody has seen and lets ours follow; it may be
    cut to its first characters.
    """

    context: RunContext
    access: AurAccess
    history: OwnHistory
    identity: Identity
    over: str = ""
    dry_run: bool = False

    def deliver(self, package: ManagedPackage, remembered: AurPush) -> AurOutcome:
        """Make the AUR have the files of a package.

        Raises AurWaitingError and AurAccountError; a refusal is an outcome.
        """
        try:
            with scratch_repository(self.context.git) as scratch:
                errand = _Errand(self, scratch, package, remembered)
                for _ in range(_ATTEMPTS):
                    try:
                        return errand.run()
                    except OvertakenError:
                        continue
        except AurRefusedError as error:
            return replace(
                _outcome(package, AurState.REFUSED, error.message),
                hint=error.hint,
                answered=True,
            )
        raise AurWaitingError(f"others push to {package.name} at the same time")


@dataclass(frozen=True, slots=True)
class _Errand:
    """One package to be delivered."""

    courier: Courier
    scratch: GitRepository
    package: ManagedPackage
    remembered: AurPush

    def run(self) -> AurOutcome:
        remote = AurRemote(self.scratch, self.courier.access, self.package.name)
        tip = remote.fetch()
        there = without_left_there(self.scratch, tip.tree) if tip else ""
        if tip is not None and there == self.package.tree:
            reason = "the AUR has these files"
            return replace(_outcome(self.package, AurState.IN_STEP, reason), commit=tip.commit)
        if tip is not None and not self._may_follow(tip, there):
            return self._diverged(tip, there)
        changes = self._difference(there, self.package.tree) if self.courier.dry_run else ()
        outcome = replace(
            _outcome(self.package, AurState.TO_BE_PUSHED, ""),
            commit=tip.commit if tip else "",
            difference=changes,
            is_new=tip is None,
            reason="" if tip else "the AUR has no such package yet",
        )
        if self.courier.dry_run:
            return outcome
        commit = self._commit(tip)
        remote.push(commit)
        reason = "as a new package" if tip is None else ""
        return replace(outcome, state=AurState.PUSHED, commit=commit, reason=reason)

    def _may_follow(self, tip: AurTip, there: str) -> bool:
        """Tell whether nothing of others is lost by a commit of ours on top of `tip`."""
        known = self.remembered
        if tip.commit == known.commit or there == known.tree:
            return True
        if self.courier.over:
            return tip.commit.startswith(self.courier.over)
        found_before = (known.obstacle, known.tip, known.wanted)
        if found_before == (Obstacle.DIVERGED, tip.commit, self.package.tree):
            return False
        return self.courier.history.has_had(
            self.package.name,
            files_below(self.scratch, tip.tree),
            any_srcinfo=not self.package.commits_srcinfo,
        )

    def _diverged(self, tip: AurTip, there: str) -> AurOutcome:
        known = self.remembered.tree
        here = known and self.scratch.object_types([known]) == ["tree"]
        name = self.package.name
        return replace(
            _outcome(
                self.package,
                AurState.DIVERGED,
                f"the AUR has commit {tip.commit[:12]} of {tip.date[:10]} by "
                f"{one_line(tip.author)}, {one_line(tip.subject)!r}, which is not from here",
            ),
            hint=f"Take what it changes over into {name}, if it is good; then "
            f"`caur-ci aur push {name} --over {tip.commit[:12]}` puts a commit of ours on top.",
            commit=tip.commit,
            difference=self._difference(known if here else self.package.tree, there),
        )

    def _difference(self, old: str, new: str) -> tuple[str, ...]:
        return difference(self.scratch, old or self.scratch.write_tree([]), new)

    def _commit(self, tip: AurTip | None) -> str:
        tree = self.package.tree
        return self.scratch.write_commit(
            with_left_there(self.scratch, tree, tip.tree) if tip else tree,
            aur_message(self.package.name, self.courier.context.forge_pipeline),
            parents=[tip.commit] if tip else [],
            identity=self.courier.identity,
        )


def _outcome(package: ManagedPackage, state: AurState, reason: str) -> AurOutcome:
    return AurOutcome(
        package=package.name,
        state=state,
        reason=reason,
        tree=package.tree,
        version=package.version,
        left_out=package.files.left_out,
    )
