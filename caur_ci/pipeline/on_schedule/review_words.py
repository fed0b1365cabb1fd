"""What people said of reviews decides about packages: taken over, left as they are, or rejected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from caur_ci.errors import CaurError
from caur_ci.package_folders import OWN
from caur_ci.pipeline.on_schedule.freezing import PROPOSES, frozen, held, remarked
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shared.memory.holds import Hold
from caur_ci.pipeline.shared.memory.reviews import Rejection
from caur_ci.review import BRANCH_PREFIX, Word
from caur_ci.update.source import FindingKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.own_commits import ReviewBranch
    from caur_ci.pipeline.shared.refs import SharedRepository
    from caur_ci.review import Heard, Said

# With these, nothing newer than what was approved is known.
_NOTHING_NEWER = frozenset({ScheduleAction.UNCHANGED, ScheduleAction.BUILD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was said, by package. Nothing was said about others."""

    approved: Mapping[str, Said] = field(default_factory=dict)
    approved_danger: Mapping[str, Said] = field(default_factory=dict)
    held: Mapping[str, Said] = field(default_factory=dict)
    dangerous: Mapping[str, Said] = field(default_factory=dict)

    @classmethod
    def of(cls, heard: Heard, *, held_before: Mapping[str, Said]) -> Self:
        """Sort what the forge told. Where it did not tell all, what was on hold stays so."""
        sorted_: dict[Word, dict[str, Said]] = {word: {} for word in Word}
        for said in heard.said:
            sorted_[said.word][said.branch.removeprefix(BRANCH_PREFIX)] = said
        held = sorted_[Word.HOLD]
        return cls(
            approved=sorted_[Word.APPROVED],
            approved_danger=sorted_[Word.APPROVED_DANGER],
            held=held if heard.is_complete else {**held_before, **held},
            dangerous=sorted_[Word.DANGEROUS],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsDone:
    """What words came to. `rejections` are new ones, by package."""

    planned: tuple[PlannedUpdate, ...]
    words: Words = field(default_factory=Words)
    rejections: Mapping[str, Rejection] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class WordTaker:
    """Does with the packages of a run what people said. Makes git objects, changes no ref."""

    def __init__(
        self, git: GitRepository, shared: SharedRepository, *, memory: Memory, words: Words
    ) -> None:
        self._git = git
        self._shared = shared
        self._memory = memory
        self._words = words
        self._rejections: dict[str, Rejection] = {}
        self._problems: list[str] = []

    def take(self, planned: Sequence[PlannedUpdate]) -> WordsDone:
        """Return what is done about the packages then, with each word and who said it."""
        looked_at = {one.package.name for one in planned}
        for name, said in self._words.dangerous.items():
            if name not in looked_at:  # it is not forgotten: the request stays as it is
                continue
            try:
                self._rejections[name] = self._rejection(name, said)
            except CaurError as error:
                self._problems.append(
                    f"{said.page}: what is {said} cannot be read: {error.message}"
                )
        done = tuple(map(self._about, planned))
        return WordsDone(
            planned=done,
            words=self._words,
            rejections=self._rejections,
            problems=tuple(self._problems),
        )

    def _about(self, one: PlannedUpdate) -> PlannedUpdate:
        name = one.package.name
        one = self._unless_rejected(one)
        if name in self._rejections:
            return remarked(one, f"rejected for good: {self._rejections[name].said}")
        if name in self._words.held:
            said = self._words.held[name]
            return frozen(one, str(_hold_of(said)), page=said.page)
        if name in self._words.approved:
            return self._approved(one, self._words.approved[name])
        return one

    def _rejection(self, name: str, said: Said) -> Rejection:
        self._shared.fetch_missing([said.commit])
        tree = self._git.git("rev-parse", "--verify", f"{said.commit}:{name}").decode().strip()
        return Rejection(self._proposal(tree), said)

    def _proposal(self, tree: str) -> str:
        """Return the id of what a package's folder has from its source."""
        entries = [entry for entry in self._git.entries(tree) if entry.name not in OWN]
        return self._git.write_tree(entries)

    def _unless_rejected(self, one: PlannedUpdate) -> PlannedUpdate:
        name = one.package.name
        known = self._memory.reviews.rejected.get(name) or name in self._rejections
        if one.decision.action not in PROPOSES or not one.tree or not known:
            return one
        proposal = self._proposal(one.tree)
        rejection = self._memory.reviews.rejection_of(name, proposal)
        new = self._rejections.get(name)
        if new is not None and new.tree == proposal:
            rejection = new
        if rejection is None:
            return one
        reason = f"these files were rejected for good: {rejection.said}"
        return held(one, reason, page=rejection.said.page)

    def _approved(self, one: PlannedUpdate, said: Said) -> PlannedUpdate:
        name, decision = one.package.name, one.decision
        branch = self._memory.commits.reviews.get(name)
        obstacle = self._obstacle(one, said, branch)
        if obstacle or branch is None:
            return remarked(one, f"{said}, but {obstacle}")
        known = self._memory.reviews.waiting.get(name)
        return replace(
            one,
            decision=replace(
                decision,
                action=ScheduleAction.UPDATE,
                reason=self._approval(name, said),
                after=known.after if known else "",
                link=said.page,
                builds=not one.package.config.on_trigger,
            ),
            tree=branch.tree,
            merges=branch.commit,
        )

    def _approval(self, name: str, said: Said) -> str:
        second = self._words.approved_danger.get(name)
        return f"{said}; {second}" if second else str(said)

    def _obstacle(self, one: PlannedUpdate, said: Said, branch: ReviewBranch | None) -> str:
        """Return why what was approved is not taken over; nothing where it is."""
        name, action = one.package.name, one.decision.action
        if branch is None or branch.commit != said.commit:
            return "the branch is not as it was made here: merge the request by hand"
        known = self._memory.reviews.waiting.get(name)
        is_harmless = known is not None and known.commit == branch.commit and not known.has_danger
        if not is_harmless and name not in self._words.approved_danger:
            return f"something in it is a danger: it needs {Word.APPROVED_DANGER} as well"
        if not _has_nothing_newer(one) and not (action in PROPOSES and one.tree == branch.tree):
            return "there is something newer, or it cannot be seen whether there is"
        return self._conflict(one, branch)

    def _conflict(self, one: PlannedUpdate, branch: ReviewBranch) -> str:
        try:
            self._shared.fetch_missing([branch.commit, branch.base])
        except CaurError as error:
            return f"it cannot be fetched: {error.message}"
        name = one.package.name
        if self._git.object_id(f"{branch.base}:{name}") != one.package.tree:
            return "the package was changed here since: merge the request by hand"
        return ""


def _has_nothing_newer(one: PlannedUpdate) -> bool:
    """Tell whether the package's files were looked for, and none are newer than those here."""
    if one.files is None:
        return one.decision.action in _NOTHING_NEWER
    is_known = one.files in {FindingKind.UNCHANGED, FindingKind.BUILD}
    return is_known and one.decision.action not in PROPOSES


def frozen_packages(done: WordsDone) -> set[str]:
    """Return the packages whose branches and requests are left as they are."""
    return {*done.words.held} - {*done.rejections}


def _hold_of(said: Said) -> Hold:
    return Hold(said.by, said.time, f"the label {said.word} of the request")
