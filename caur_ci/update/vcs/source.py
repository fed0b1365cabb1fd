"""Packages that are built from the newest commits of branches: a branch moves, and one is built.

Nothing of their files changes here; the build finds out what their version is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.plaintext import one_line
from caur_ci.update.git_url import commit_link
from caur_ci.update.source import FindingKind, FollowedPackage, SourceFinding
from caur_ci.update.vcs.entries import FollowedSources, followed_sources
from caur_ci.update.vcs.seen import VcsOutcome, VcsSeen
from caur_ci.update.vcs.tip import Tip, TipProblem, TipTrouble
from caur_ci.update.vcs.turns import counted, is_due

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from caur_ci.config.interval import VcsInterval
    from caur_ci.update.vcs.entries import Place
    from caur_ci.update.vcs.finding import TipFinder

COMMIT = "CI_GIT_COMMIT"
# Half a day of runs every half-hour: a server that is being moved is back by then.
GONE_AFTER = 24
_SUFFIXES = ("-git", "-svn", "-hg", "-bzr")
_LONGEST = 500


def is_vcs_package(package: FollowedPackage) -> bool:
    """Tell whether a package is built from the newest commits."""
    return package.name.endswith(_SUFFIXES) or package.config.force_vcs or COMMIT in package.state


class VcsSource:
    """Follows the upstream repositories of packages.

    `read_sources` returns `.SRCINFO` and PKGBUILD of packages by their names, `interval` is the
    repository's, `now` the time of the run in Unix seconds.
    """

    name = "vcs"

    def __init__(
        self,
        finder: TipFinder,
        *,
        read_sources: Callable[[Collection[str]], Mapping[str, tuple[bytes, bytes]]],
        interval: VcsInterval | None,
        now: float,
    ) -> None:
        self._finder = finder
        self._read_sources = read_sources
        self._interval = interval
        self._now = now

    def look(self, packages: Sequence[FollowedPackage]) -> Mapping[str, SourceFinding]:
        """Return a finding for each of `packages`, by name."""
        files = self._read_sources([package.name for package in packages])
        sources = {name: _sources(*its) for name, its in files.items()}
        counts = {
            place
            for package in packages
            if (interval := self._interval_of(package)) and interval.commits
            for place in sources[package.name].places
        }
        places = {place for its in sources.values() for place in its.places}
        tips = self._finder.tips(places, counted=counts) if places else {}
        return {
            package.name: _Look(
                package, sources[package.name], tips, self._interval_of(package), self._now
            ).finding()
            for package in packages
        }

    def _interval_of(self, package: FollowedPackage) -> VcsInterval | None:
        own = package.config.vcs_interval
        return self._interval if own is None else own


@dataclass(frozen=True, slots=True)
class _Look:
    """One package, and what was found of all places."""

    package: FollowedPackage
    sources: FollowedSources
    tips: Mapping[Place, Tip | TipProblem]
    interval: VcsInterval | None
    now: float

    def finding(self) -> SourceFinding:
        missing = self._problems(TipTrouble.NO_TOOL)
        nothing = SourceFinding(kind=FindingKind.UNCHANGED)
        found = self._finding_of_places() if self.sources.places else nothing
        remarks = (*self.sources.refused, *(problem.reason for problem in missing))
        return replace(found, remarks=remarks, files=FindingKind.UNCHANGED)

    def _finding_of_places(self) -> SourceFinding:
        absent = self._problems(TipTrouble.ABSENT)
        others = self._problems(TipTrouble.UNREACHABLE, TipTrouble.UNUSABLE)
        if not absent and not others:
            return self._finding_of_tips()
        runs = min(self.package.vcs.absent + bool(absent), GONE_AFTER + 1)
        outcome = self._outcome(replace(self._noted(), absent=runs))
        kind, words = FindingKind.FAILED, [problem.reason for problem in (*absent, *others)]
        if absent and runs == GONE_AFTER:
            kind, words = FindingKind.GONE, [f"{words[0]}, for {runs} runs now", *words[1:]]
        elif absent and runs > GONE_AFTER and not others:
            kind, words = FindingKind.UNCHANGED, []
        return SourceFinding(kind=kind, reason=_joined(words), vcs=outcome)

    def _finding_of_tips(self) -> SourceFinding:
        moved = [
            (place, before, tip)
            for place, tip in self._found().items()
            if (before := self._before(place)) and before != tip.commit
        ]
        noted = replace(self._noted(), absent=0)
        if not moved:
            settled = replace(noted, moves=0, latest="", total=self._total())
            return SourceFinding(kind=FindingKind.UNCHANGED, vcs=self._outcome(settled))
        if self._counts():
            noted = counted(noted, (tip.commit for tip in self._found().values()))
        outcome = self._outcome(noted)
        if self.interval and not is_due(self.interval, noted, total=self._total(), now=self.now):
            reason = f"new commits wait for their turn: {self.interval} (CI_VCS_INTERVAL)"
            return SourceFinding(kind=FindingKind.WAITING, reason=reason, vcs=outcome)
        place, _, tip = moved[0]
        return SourceFinding(
            kind=FindingKind.BUILD,
            reason=_joined([_told(*move, alone=len(moved) == 1) for move in moved]),
            link=commit_link(place.url, tip.commit) if place.tool == "git" else "",
            vcs=outcome,
        )

    def _problems(self, *troubles: TipTrouble) -> list[TipProblem]:
        found = (self.tips[place] for place in self.sources.places)
        return [it for it in found if isinstance(it, TipProblem) and it.trouble in troubles]

    def _found(self) -> dict[Place, Tip]:
        tips = ((place, self.tips[place]) for place in self.sources.places)
        return {place: tip for place, tip in tips if isinstance(tip, Tip)}

    def _main(self) -> Place | None:
        """Return the place that CI_GIT_COMMIT is about: the first that git knows."""
        return next((place for place in self.sources.places if place.tool == "git"), None)

    def _before(self, place: Place) -> str:
        """Return the commit that was built or seen first, empty where the place is new.

        The existing system may have taken a turn meanwhile, and knows CI_GIT_COMMIT only. It says
        nothing of a place that the package did not have when that was written.
        """
        ours = self.package.vcs.commits
        own = ours.get(str(place), "")
        if place == self._main() and (own or not ours):
            return self.package.state.get(COMMIT) or own
        return own

    def _noted(self) -> VcsSeen:
        """Return what is remembered where nothing is built: the places as they were, new ones."""
        commits = {}
        for place in self.sources.places:
            tip = self.tips[place]
            commit = self._before(place) or (tip.commit if isinstance(tip, Tip) else "")
            if commit:
                commits[str(place)] = commit
        return replace(self.package.vcs, commits=commits)

    def _outcome(self, noted: VcsSeen) -> VcsOutcome:
        """Return what is to be remembered: that, or after a build what is there now."""
        found = {str(place): tip.commit for place, tip in self._found().items()}
        built = replace(
            noted,
            commits={**noted.commits, **found},
            built=int(self.now),
            latest="",
            moves=0,
            total=self._total(),
        )
        main = self._main()
        return VcsOutcome(noted=noted, built=built, main=str(main) if main else "")

    def _counts(self) -> bool:
        return self.interval is not None and self.interval.commits > 0

    def _total(self) -> int:
        """Return how many commits there are, 0 where that does not matter or is not known."""
        totals = [tip.total for tip in self._found().values()]
        return sum(totals) if self._counts() and all(totals) else 0


def _sources(srcinfo: bytes, pkgbuild: bytes) -> FollowedSources:
    try:
        return followed_sources(srcinfo, pkgbuild)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's files do is theirs
        return FollowedSources(refused=(f"its sources cannot be read: {error!r}"[:_LONGEST],))


def _told(place: Place, before: str, tip: Tip, *, alone: bool) -> str:
    what = one_line(tip.branch)[:100] or "HEAD"
    if place.tool != "git":
        return f"{place} moved from {before[:12]} to {tip.commit[:12]}"
    moved = f"{what} moved from {before[:12]} to {tip.commit[:12]}"
    return moved if alone else f"{place}: {moved}"


def _joined(words: Sequence[str]) -> str:
    text = "; ".join(words)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
