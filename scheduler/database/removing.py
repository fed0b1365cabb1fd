"""What a database runner does with removals: entries go first, files later, as superseded ones.

Removals speak of folders in the source repository. The pkgbase of what was built from a folder may
be another one, and several folders may have the same.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from scheduler.database.delivery_verifier import ANY_ARCH
from scheduler.database.dependencies import dependants
from scheduler.database.expecting import ExpectationReader, makers_of
from scheduler.database.generations import PublicationKind
from scheduler.database.handback import hand_back, temporary, told, unforeseen
from scheduler.database.layout import Layout
from scheduler.database.recalled import RecalledFiles
from scheduler.database.repository import Retention, open_repository
from scheduler.database.transaction import RepoToolError
from scheduler.heartbeat import DEFAULT_INTERVAL, Heartbeat
from scheduler.queue import StaleClaimError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.database.entries import Entry
    from scheduler.database.generations import Generation
    from scheduler.database.repository import PacmanRepository
    from scheduler.database.signing import Signer
    from scheduler.job import Removal
    from scheduler.queue import Queue, RemovalClaim
    from scheduler.settings import DatabaseSettings
    from scheduler.source.cache import FolderNames

_log = logging.getLogger(__name__)

# So many may always go without being confirmed: a share of a few packages says little.
UNASKED = 5
_SHOWN = 8


class NeedsConfirmationError(InputError):
    """A removal would take away more than it may without being confirmed."""

    def __init__(self, message: str, folders: list[str]) -> None:
        super().__init__(message)
        self.folders = folders


class Going:
    """Tells which packages of a repository go.

    Those that the removal names, as far as no folder makes them any more: `tips` has what the
    folders of each source repository make now, and `recalled` which of these do not count. Whoever
    may write to the queue can make a removal; only a commit takes a package away.
    """

    def __init__(
        self,
        removal: Removal,
        tips: Mapping[str, Mapping[str, FolderNames]],
        recalled: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.removal = removal
        self._recalled = recalled or {}
        self._remove, self._keep = set(removal.remove), set(removal.keep)
        self._tips = tips
        self._makers = {source: makers_of(tip) for source, tip in tips.items()}
        self._by_name: defaultdict[str, set[str]] = defaultdict(set)
        self._by_base: defaultdict[str, set[str]] = defaultdict(set)
        for tip in tips.values():
            for folder, names in tip.items():
                self._by_base[names.pkgbase].add(folder)
                for name in names.pkgnames:
                    self._by_name[name].add(folder)

    def goes(self, entry: Entry, current: Generation) -> bool:
        """Whether a published package goes."""
        return self._is_named(entry, current) and not self._made_by(entry, current)

    def staying(self, current: Generation) -> dict[str, list[str]]:
        """Return the packages that are named and stay all the same, with their folders."""
        return {
            entry.name: folders
            for entry in current.packages.values()
            if self._is_named(entry, current) and (folders := self._made_by(entry, current))
        }

    def is_recalled(self, entry: Entry, current: Generation) -> bool:
        """Whether all the folders that a published package may come from were recalled."""
        folders = self.folders_of(entry, current)
        return any(
            folders <= self._recalled.get(name, frozenset())
            for name in self._sources_of(entry, current)
        )

    def folders_of(self, entry: Entry, current: Generation) -> set[str]:
        """Return the folders that a package may come from."""
        if entry.name in current.folders:
            return {current.folders[entry.name]}
        return self._by_name.get(entry.name) or self._by_base.get(entry.base) or {entry.base}

    def _is_named(self, entry: Entry, current: Generation) -> bool:
        folders = self.folders_of(entry, current)
        return folders <= self._remove if self._remove else not folders & self._keep

    def _made_by(self, entry: Entry, current: Generation) -> list[str]:
        """Return the folders that make a package now, or could if they wanted to."""
        if self.is_recalled(entry, current):
            return []
        found: set[str] = set()
        for name in self._sources_of(entry, current):
            making = self._makers[name].get(entry.name, frozenset())
            making |= self.folders_of(entry, current) & self._tips[name].keys()
            found |= making - self._recalled.get(name, frozenset())
        return sorted(found)

    def _sources_of(self, entry: Entry, current: Generation) -> list[str]:
        """Return the source repositories that a package may come from."""
        source = current.sources.get(entry.name, "")
        return [source] if source in self._tips else [*self._tips]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remover:
    """Carries out the removals that the queue hands to a database runner, and tells the queue."""

    queue: Queue
    settings: DatabaseSettings
    signer: Signer
    interval: float = DEFAULT_INTERVAL

    def remove(self, claim: RemovalClaim) -> None:
        """Take packages out of a repository, and those for any architecture out of its others.

        Raises TemporaryError when that did not work for a reason that may pass: the removal is
        handed back.
        """
        removal = claim.removal
        repo, arch = removal.target_repo, removal.arch
        with Heartbeat(self.queue, [claim], interval=self.interval) as heartbeat:
            error = remark = ""
            gone: list[str] = []
            try:
                gone, remark = self._remove(claim)
            except NeedsConfirmationError as refusal:
                _log.warning("%s/%s: held back: %s", repo, arch, refusal.message)
                self._hold(claim, heartbeat, refusal)
                return
            except (InputError, RepoToolError) as problem:
                error = problem.message
                _log.error("%s/%s: %s", repo, arch, error)
            except (CaurError, OSError) as problem:
                hand_back(self.queue, [claim], heartbeat, told(problem))
                raise temporary(repo, arch, problem) from problem
            except Exception as problem:  # noqa: BLE001 - it costs this removal only
                error = unforeseen(problem)
                _log.exception("%s/%s: a removal failed", repo, arch)
            else:
                said = ", ".join(gone) or "nothing"
                _log.info("%s/%s: removed %s%s", repo, arch, said, remark and f"; {remark}")
            with suppress(StaleClaimError):
                heartbeat.retry_while_held(
                    claim,
                    lambda: self.queue.finish_removal(
                        claim, removed=gone, error=error, remark=remark
                    ),
                )

    def _remove(self, claim: RemovalClaim) -> tuple[list[str], str]:
        """Return the folders whose packages went, and what somebody should know about it."""
        removal = claim.removal
        home, *others = self._layouts(removal)
        # With nothing locked: this may take long.
        sources = ExpectationReader(self.settings.source_repos, self.settings.cache)
        tips = sources.folders_now()
        there = any(not tip.keys().isdisjoint(removal.remove) for tip in tips.values())
        going = Going(removal, tips, sources.recalled_now() if there else {})
        with ExitStack() as stack:
            layouts = sorted([home, *others], key=lambda layout: layout.arch)
            opened = {
                layout: stack.enter_context(open_repository(layout, self._retention()))
                for layout in layouts
            }
            current = opened[home].current()
            folders = self._folders(going, current)
            remark = _remark(going, current, opened[home])
            self.queue.renew(claim)
            for layout in (home, *others):
                self._take_out(opened[layout], going, only_any=layout is not home)
        return folders, remark

    def _folders(self, going: Going, current: Generation) -> list[str]:
        """Return the folders whose packages go. Raises NeedsConfirmationError."""
        entries = current.packages.values()
        known = {entry.name: going.folders_of(entry, current) for entry in entries}
        leaving = {entry.name for entry in entries if going.goes(entry, current)}
        total = len({frozenset(folders) for folders in known.values()})
        gone = len({frozenset(known[name]) for name in leaving})
        folders = sorted({folder for name in leaving for folder in known[name]})
        share = self.settings.removal_share
        if not going.removal.confirmed and gone > UNASKED and gone * 100 > share * total:
            shown = ", ".join([*folders[:_SHOWN], *(["…"] if len(folders) > _SHOWN else [])])
            raise NeedsConfirmationError(
                f"{gone} of {total} packages would go, more than {share} % have to be confirmed: "
                f"{shown}",
                folders,
            )
        return folders

    def _take_out(self, repository: PacmanRepository, going: Going, *, only_any: bool) -> None:
        current = repository.current()
        names = [
            entry.name
            for entry in current.packages.values()
            if going.goes(entry, current) and (entry.arch == ANY_ARCH or not only_any)
        ]
        recalled = [
            current.packages[name]
            for name in names
            if going.is_recalled(current.packages[name], current)
        ]
        if recalled:
            RecalledFiles(repository.layout).note(recalled, now=time.time())
        if names:
            with repository.transaction(self.signer) as transaction:
                transaction.remove(names)
                transaction.prepare()
                repository.commit(transaction, kind=PublicationKind.REMOVED)

    def _hold(
        self, claim: RemovalClaim, heartbeat: Heartbeat, refusal: NeedsConfirmationError
    ) -> None:
        with suppress(StaleClaimError):
            heartbeat.retry_while_held(
                claim,
                lambda: self.queue.hold_removal(claim, refusal.message, remove=refusal.folders),
            )

    def _layouts(self, removal: Removal) -> list[Layout]:
        target = self.settings.target_repos.get(removal.target_repo)
        others = sorted(set(target.architectures if target else ()) - {removal.arch})
        return [
            Layout(self.settings.repo_path, removal.target_repo, arch)
            for arch in (removal.arch, *others)
        ]

    def _retention(self) -> Retention:
        return Retention.of(self.settings)


def _remark(going: Going, current: Generation, repository: PacmanRepository) -> str:
    """Say what stays although it is named, and what goes although others need it."""
    parts = [
        f"{name} stays, the source repository has {' and '.join(folders)}"
        for name, folders in sorted(going.staying(current).items())
    ]
    leaving = {entry.name for entry in current.packages.values() if going.goes(entry, current)}
    parts += [
        f"{name} went and is needed by {', '.join(needing)}"
        for name, needing in dependants(repository.records(), leaving).items()
    ]
    return "; ".join([*parts[:_SHOWN], *(["…"] if len(parts) > _SHOWN else [])])
