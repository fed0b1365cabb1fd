"""What people decide about packages: that they are held, let go or rebuilt.

It is remembered on branch `caur`, with who and when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from caur_ci.config import read_repository_config
from caur_ci.errors import InputError
from caur_ci.git import Identity
from caur_ci.names import suggestion
from caur_ci.package_folders import CommittedFolders
from caur_ci.pipeline.shared.memory.holds import Hold
from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
from caur_ci.pipeline.shared.memory.libraries import LOST
from caur_ci.pipeline.shared.person import person_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.triggers.moves import LibraryMove

_COMMAND = "caur-ci {}"
_RECALLED = "recalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Somebody who decides about packages; `now` is in Unix seconds."""

    context: RunContext
    config: RepositoryConfig
    person: str
    now: int

    @classmethod
    def of(cls, context: RunContext, now: float) -> Self:
        """Return whoever runs this: the account behind the pipeline, or whom git knows.

        Raises InputError where nobody can tell, ConfigError for a `.ci/config` that makes no sense.
        """
        person = person_behind(context)
        config = read_repository_config(context.git, context.head).config
        return cls(context=context, config=config, person=person, now=int(now))

    def memory(self) -> Memory:
        """Return what is on branch `caur` now. Raises as `SharedRepository.memory` does."""
        return self.context.shared.memory(self.context.shared.snapshot())

    def folders(self) -> Collection[str]:
        """Return the package folders at HEAD."""
        return CommittedFolders.at(self.context.git, self.context.head).packages

    def hold(self, packages: Sequence[str], reason: str) -> dict[str, Hold]:
        """Put packages on hold, and return how each of them is held now.

        One that somebody holds already stays as it is held, unless there is a reason to tell. A
        build that nobody has handed over yet is left out as well. Raises InputError for packages
        that do not exist, and what `SharedRepository.change_memory` raises.
        """
        check_known(packages, {*self.folders(), *self.memory().holds.packages})
        hold = Hold(by=self.person, since=self.now, reason=reason)
        new = dict.fromkeys(packages, hold)
        return _held(self.change(lambda memory: self.holding(memory, new, "hold")), packages)

    def unhold(self, packages: Sequence[str]) -> dict[str, Hold]:
        """Let packages go, and return how they were held. Raises as `hold` does."""
        before: dict[str, Hold] = {}

        def change(memory: Memory) -> Memory:
            check_held(packages, memory.holds.packages)
            before.clear()
            before.update({name: memory.holds.packages[name] for name in packages})
            return self.letting_go(memory, packages)

        self.change(change)
        return before

    def letting_go(self, memory: Memory, packages: Iterable[str]) -> Memory:
        """Return the memory with packages let go, all of which are on hold."""
        holds, entries = memory.holds, []
        for name in packages:
            reason = f"let go by {self.person}; it was {holds.packages[name]}"
            holds = holds.without(name)
            entries.append(self.entry("unhold", name, "unhold", reason))
        return replace(
            memory,
            holds=holds,
            recalled=memory.recalled.difference(packages),
            ledger=memory.ledger.add(entries),
        )

    def recall(self, packages: Sequence[str], reason: str) -> dict[str, Hold]:
        """Put packages on hold and say that they are not to be published; return their holds.

        The reason of an earlier hold counts where no other is given. Raises as `hold` does.
        """

        def change(memory: Memory) -> Memory:
            new = {}
            for name in packages:
                before = memory.holds.get(name)
                why = reason or (before.reason if before else "")
                why = (
                    why if why.startswith(_RECALLED) else ": ".join(filter(None, (_RECALLED, why)))
                )
                new[name] = Hold(by=self.person, since=self.now, reason=why)
            held = self.holding(memory, new, "recall")
            return replace(held, recalled=held.recalled.union(packages))

        return _held(self.change(change), packages)

    def rebuild(self, moves: Mapping[str, Iterable[LibraryMove]], publish: str) -> None:
        """Have the next run of on-schedule rebuild packages for what they lost, as one group.

        However many they are. `publish` is `together` or `partial`. Raises as `hold` does.
        """
        lost = [(name, move, LOST) for name, some in sorted(moves.items()) for move in some]

        def change(memory: Memory) -> Memory:
            libraries = memory.libraries
            waiting = libraries.waiting.with_moves(lost).asked_for(moves, publish)
            entries = [
                self.entry("rebuild", name, "rebuild", f"{self.person} asked for it")
                for name in sorted(moves)
            ]
            return replace(
                memory,
                libraries=replace(libraries, waiting=waiting),
                ledger=memory.ledger.add(entries),
            )

        check_known(moves, self.folders())
        self.change(change)

    def holding(self, memory: Memory, new: dict[str, Hold], command: str) -> Memory:
        """Return the memory with `new` holds, which `command` was called for."""
        holds, entries = memory.holds, []
        for name, hold in new.items():
            old = holds.get(name)
            if old is None or old.automatic or hold.reason:
                holds = holds.with_hold(name, hold)
                entries.append(self.entry(command, name, command, str(holds.packages[name])))
        outbox, taken_back = memory.outbox.taken_back({*new})
        return replace(
            memory,
            outbox=outbox,
            holds=holds.leaving_out(taken_back),
            ledger=memory.ledger.add(entries),
        )

    def entry(self, command: str, package: str, decision: str, reason: str) -> LedgerEntry:
        """Return what the ledger is to say of a decision about a package."""
        return LedgerEntry(
            time=self.now,
            run=_COMMAND.format(command),
            commit=self.context.head,
            package=package,
            decision=decision,
            reason=reason,
            link=self.context.forge_pipeline.url,
        )

    def change(self, change: Callable[[Memory], Memory]) -> Memory:
        """Change branch `caur`; see `SharedRepository.change_memory`."""
        return self.context.shared.change_memory(
            change,
            identity=Identity(self.config.author_name, self.config.author_email),
            push_options=self.context.forge_pipeline.push_options(),
        )


def check_known(packages: Iterable[str], known: Collection[str]) -> None:
    """Raise InputError for packages that do not exist, naming what may have been meant."""
    unknown = [name for name in packages if name not in known]
    if unknown:
        raise InputError(
            f"there is no package {', '.join(unknown)} in the repository",
            hint=suggestion(unknown[0], known),
        )


def check_held(packages: Iterable[str], held: Collection[str]) -> None:
    """Raise InputError for packages that are not on hold, naming what may have been meant."""
    others = [name for name in packages if name not in held]
    if others:
        raise InputError(
            f"not on hold: {', '.join(others)}",
            hint=suggestion(others[0], held) or "`caur-ci status` lists what is on hold.",
        )


def _held(memory: Memory, packages: Iterable[str]) -> dict[str, Hold]:
    return {name: memory.holds.packages[name] for name in packages}
