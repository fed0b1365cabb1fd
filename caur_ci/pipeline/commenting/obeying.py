"""What commands do to what is remembered: builds asked for, packages held and let go; and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.pipeline.commenting.answers import Told
from caur_ci.pipeline.holding import Keeper, check_held
from caur_ci.pipeline.manual.asking import asking
from caur_ci.pipeline.manual.operation import done_by
from caur_ci.pipeline.on_commit.build_classes import build_classes
from caur_ci.pipeline.shared.decision import PackageAction, PackageDecision
from caur_ci.pipeline.shared.documents.build_request import build_request
from caur_ci.pipeline.shared.memory.holds import Hold
from caur_ci.review import Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from caur_ci.pipeline.shared.committed_repository import CommittedRepository
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.review import Command

_REASONS = 3


def refusal(about: str, error: InputError) -> Told:
    """Return that something is not done, with the reason and the remedy."""
    return Told(about, "not done", tuple(filter(None, (error.message, error.hint))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Obeying:
    """Somebody's commands, for the packages of `repository`.

    `bumped` are packages that the same comment has bumped. `now` is in Unix seconds.
    """

    context: RunContext
    repository: CommittedRepository
    person: str
    now: int
    bumped: frozenset[str] = frozenset()

    def obey(self, memory: Memory, command: Command) -> tuple[Memory, list[Told]]:
        """Return the memory after a command other than a bump, and what is to be told of it.

        What cannot be done for one package is told, and done for the others.
        """
        match command.verb:
            case Verb.RETRY:
                return self._retry(memory, command)
            case Verb.HOLD:
                return self._each(memory, command, self._hold)
            case Verb.UNHOLD:
                return self._each(memory, command, self._unhold)
            case _:
                return self._each(memory, command, self._why)

    def _each(
        self,
        memory: Memory,
        command: Command,
        step: Callable[[Memory, str, str], tuple[Memory, Told]],
    ) -> tuple[Memory, list[Told]]:
        told: list[Told] = []
        for name in command.packages:
            try:
                memory, sentence = step(memory, name, command.reason)
            except InputError as error:
                sentence = refusal(f"{command.verb} {name}", error)
            told.append(sentence)
        return memory, told

    def _retry(self, memory: Memory, command: Command) -> tuple[Memory, list[Told]]:
        reason = done_by("asked for", self.person, command.reason)
        told: list[Told] = []
        decisions: dict[str, PackageDecision] = {}
        for name in command.packages:
            about = f"{command.verb} {name}"
            try:
                folder = self.repository.deptree.resolve(name)
                if folder in self.bumped:
                    told.append(Told(about, "it is bumped, and built because of that"))
                    continue
                decisions[folder] = self._build_of(memory, folder, reason)
                told.append(Told(about, "a build is asked for"))
            except InputError as error:
                told.append(refusal(about, error))
        if not decisions:
            return memory, told
        request = build_request(
            decisions.values(), self.repository, pipeline=self.context.forge_pipeline
        )
        return asking(self._keeper, memory, request, command.reason), told

    def _build_of(self, memory: Memory, folder: str, reason: str) -> PackageDecision:
        if hold := memory.holds.get(folder):
            raise InputError(f"it is {hold}", hint="Let it go by unhold; then it can be built.")
        folders = self.repository.folders
        if not folders.having("PKGBUILD", [folder]):
            raise InputError("it has no PKGBUILD")
        classes = build_classes(folders, self.repository.config, {folder: None})
        if problem := classes.unusable.get(folder):
            raise InputError(problem)
        if not self.repository.build_targets([folder])[folder]:
            raise InputError(self.repository.no_target(folder))
        return PackageDecision(folder, PackageAction.BUILD, reason, classes.by_package[folder])

    def _hold(self, memory: Memory, name: str, reason: str) -> tuple[Memory, Told]:
        held = memory.holds.packages
        folder = name if name in held else self.repository.deptree.resolve(name)
        hold = Hold(by=self.person, since=self.now, reason=reason)
        memory = self._keeper.holding(memory, {folder: hold}, Verb.HOLD)
        return memory, Told(f"{Verb.HOLD} {name}", "done", (f"it is {memory.holds.get(folder)}",))

    def _unhold(self, memory: Memory, name: str, _reason: str) -> tuple[Memory, Told]:
        held = memory.holds.packages
        folder = name if name in held else self.repository.deptree.resolve(name)
        check_held([folder], held)
        hold = held[folder]
        memory = self._keeper.letting_go(memory, [folder])
        left_out = f"the next run builds it: {hold.left_out}" if hold.left_out else ""
        details = tuple(filter(None, (f"it was {hold}", left_out)))
        return memory, Told(f"{Verb.UNHOLD} {name}", "done", details)

    def _why(self, memory: Memory, name: str, _reason: str) -> tuple[Memory, Told]:
        try:
            folder = self.repository.deptree.resolve(name)
        except InputError:
            if not memory.ledger.about(name):
                raise
            folder = name  # gone; the ledger still knows why
        hold = memory.holds.get(folder)
        reasons = [
            entry.told(datetime.fromtimestamp(entry.time, UTC).strftime("%Y-%m-%d %H:%M UTC"))
            for entry in memory.ledger.about(folder)[:_REASONS]
        ]
        details = (*([f"it is {hold}"] if hold else ()), *reasons)
        words = "the latest that is known" if details else "no run has decided anything about it"
        return memory, Told(f"{Verb.WHY} {name}", words, details)

    @property
    def _keeper(self) -> Keeper:
        at = replace(self.context, head=self.repository.commit)
        return Keeper(context=at, config=self.repository.config, person=self.person, now=self.now)
