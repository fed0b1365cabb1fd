"""Pushes to the AUR what it does not have yet: after the push of `main` has landed, never before.

What is to be pushed is what differs: no list of it is kept, so nothing can be lost from one. Branch
`caur` remembers what the AUR has, which saves asking, and what keeps packages from getting there.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from caur_ci.aur_repository.access import AurAccess, aur_access, web_access
from caur_ci.aur_repository.answers import AurAccountError, AurWaitingError
from caur_ci.confined import Confined
from caur_ci.errors import CaurError, TemporaryError
from caur_ci.pipeline.aur_pushing.delivery import Courier
from caur_ci.pipeline.aur_pushing.outcome import AurOutcome, AurReport, AurState
from caur_ci.pipeline.aur_pushing.own_history import OwnHistory
from caur_ci.pipeline.aur_pushing.remembering import remember
from caur_ci.pipeline.aur_pushing.round import AurRound, RoundState, check_managed
from caur_ci.pipeline.aur_pushing.standing import remembered_standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.aur_pushing.managed import ManagedPackage
    from caur_ci.pipeline.shared.context import RunContext

KEY = "AUR_KEY"
_NO_KEY = f"{KEY} is not set: it is the private key of the account at the AUR"
# As many connections as the AUR's server takes from a stranger without a frown.
_MOST_CONNECTIONS = 4
# After so many packages that the AUR took nothing of, the others wait as well.
_PATIENCE = 2
# Whom the AUR has refused, it is not asked about again sooner, in seconds.
_REST = 6 * 3600


def follow_up(context: RunContext, config: RepositoryConfig, wanted: AurRound) -> AurReport:
    """Push what there is to push, after everything else of a run; its failures are in the report.

    `config` is that of the run, which tells whether any package is pushed at all.
    """
    if not config.manage_aur:
        return AurReport()
    try:
        report = push_to_aur(context, wanted)
    except TemporaryError as error:
        return AurReport(notes=(f"nothing was pushed to the AUR: {error.message}",))
    except CaurError as error:
        hint = f" {error.hint}" if error.hint else ""
        return AurReport(problems=(f"nothing was pushed to the AUR: {error.message}.{hint}",))
    return report.redacted(context.secrets)


def push_to_aur(context: RunContext, wanted: AurRound) -> AurReport:
    """Push the packages that the AUR does not have as they are at the tip of the branch.

    Packages that are in step as far as is remembered are left out of the report, unless somebody
    has asked. Raises InputError for packages that are not pushed, ConfigError for a `.ci/config` or
    a key that cannot be used, GitError where git fails, and TemporaryError where the remote is out
    of reach.
    """
    state = RoundState.read(context)
    if wanted.packages:
        check_managed(context, wanted.packages, state)
    chosen = [it for it in state.packages if not wanted.packages or it.name in wanted.packages]
    standing = [_standing(state, package) for package in chosen]
    if not wanted.asked:
        standing = [it for it in standing if it.state is not AurState.IN_STEP]
    by_name = {package.name: package for package in chosen}
    decided = _Decisions(context, wanted, state)
    outcomes = decided.about([(by_name[it.package], it) for it in standing])
    if not wanted.dry_run:
        outcomes = remember(
            context,
            wanted,
            state,
            outcomes,
        )
    return AurReport(outcomes=tuple(outcomes), problems=tuple(decided.problems))


def _standing(state: RoundState, package: ManagedPackage) -> AurOutcome:
    hold = state.memory.holds.get(package.name)
    return remembered_standing(package, state.memory.aur.get(package.name), hold)


@dataclass
class _Decisions:
    """Decides about packages: some need no network, all others are brought there side by side."""

    context: RunContext
    wanted: AurRound
    state: RoundState
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failed: int = 0
    _closed: CaurError | None = None

    def about(self, packages: Sequence[tuple[ManagedPackage, AurOutcome]]) -> list[AurOutcome]:
        """Return what came of each package, given how it stands."""
        decided = dict(self._at_home(packages))
        if not self.wanted.offline:
            away = [package for package, _ in packages if package.name not in decided]
            decided.update({it.package: it for it in self._checked(self._brought(away))})
        return [decided.get(package.name, standing) for package, standing in packages]

    def _at_home(
        self, packages: Iterable[tuple[ManagedPackage, AurOutcome]]
    ) -> Iterator[tuple[str, AurOutcome]]:
        with Confined() as confined:
            for package, standing in packages:
                if package.name in self.state.memory.holds.packages:
                    yield package.name, standing
                    continue
                if standing.state is AurState.IN_STEP:
                    continue
                refusals = [*package.refusals(self.context.git, confined)]
                if refusals:
                    reason = " ".join(refusals)
                    yield package.name, replace(standing, state=AurState.REFUSED, reason=reason)
                elif self._is_resting(standing):
                    yield package.name, standing

    def _is_resting(self, standing: AurOutcome) -> bool:
        """Tell whether the AUR has refused these very files a short while ago."""
        tried = self.state.memory.aur.get(standing.package).tried
        recently = self.wanted.now - tried < _REST
        return standing.state is AurState.REFUSED and recently and not self.wanted.asked

    def _brought(self, packages: Sequence[ManagedPackage]) -> list[AurOutcome]:
        only_looks = self.wanted.dry_run
        if not packages or not (self._key or only_looks):
            return [self._later(package, _NO_KEY) for package in packages]
        config = self.state.config
        names = [package.name for package in packages]
        with self._access() as access:
            courier = Courier(
                context=self.context,
                access=access,
                history=OwnHistory(self.context, self.state.commit, names),
                identity=self.state.identity,
                over=self.wanted.over,
                dry_run=only_looks,
            )
            with ThreadPoolExecutor(min(config.max_parallel, _MOST_CONNECTIONS)) as pool:
                return list(pool.map(lambda package: self._bring(courier, package), packages))

    @contextmanager
    def _access(self) -> Iterator[AurAccess]:
        config = self.state.config
        if not self._key:
            yield web_access(config.aur_url, proxy=config.aur_proxy)
            return
        url, keys = config.aur_ssh, config.aur_host_keys
        with aur_access(url, key=self._key, host_keys=keys) as access:
            yield access

    @property
    def _key(self) -> str:
        return self.context.secrets.get(KEY, "")

    def _checked(self, outcomes: list[AurOutcome]) -> list[AurOutcome]:
        """Return the outcomes without commits of others that a newer run of ours has made."""
        if not any(it.state is AurState.DIVERGED for it in outcomes):
            return outcomes
        if self.context.shared.snapshot(self.context.branch).branch == self.state.commit:
            return outcomes
        moved = f"{self.context.branch} has moved on meanwhile; the next run looks again"
        return [
            replace(it, state=AurState.WAITING, reason=moved, hint="", difference=())
            if it.state is AurState.DIVERGED
            else it
            for it in outcomes
        ]

    def _bring(self, courier: Courier, package: ManagedPackage) -> AurOutcome:
        if self._closed is not None:
            return self._later(package, self._closed.message)  # it would say the same
        try:
            return courier.deliver(package, self.state.memory.aur.get(package.name))
        except AurAccountError as error:
            self._give_up(error, courier.access)
            return self._later(package, error.message)
        except AurWaitingError as error:
            with self._lock:
                self._failed += 1
                if self._failed >= _PATIENCE:
                    self._closed = error
            return self._later(package, error.message)
        except CaurError as error:  # of git on this machine: the other packages go on
            failed = replace(_waiting(package, error.message), state=AurState.REFUSED)
            return replace(failed, hint=error.hint)

    def _later(self, package: ManagedPackage, reason: str) -> AurOutcome:
        """Return that a package waits, unless more than that is in its way already."""
        standing = _standing(self.state, package)
        stuck = standing.state in {AurState.REFUSED, AurState.DIVERGED}
        return standing if stuck else _waiting(package, reason)

    def _give_up(self, error: AurAccountError, access: AurAccess) -> None:
        with self._lock:
            if self._closed is None:
                self.problems.append(
                    f"{error.message}. {error.hint} The key's public half: {access.public_key}"
                )
            self._closed = error


def _waiting(package: ManagedPackage, reason: str) -> AurOutcome:
    return AurOutcome(
        package=package.name,
        state=AurState.WAITING,
        tree=package.tree,
        version=package.version,
        reason=reason,
        left_out=package.files.left_out,
    )
