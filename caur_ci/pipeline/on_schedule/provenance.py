"""Who is behind the packages of a run: what the AUR says now, joined with what is remembered."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from caur_ci.pipeline.shared.memory.adoptions import Adoption
from caur_ci.policy.vouching import Change, Vouched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.aur import AurPackage
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.update.source import FollowedPackage, LastSeen, SourceFinding


class Provenance:
    """What is known of maintainers at the time `now`, in Unix seconds.

    `news` are those that this run sees for the first time.
    """

    def __init__(
        self,
        repository: FollowedRepository,
        findings: Mapping[str, SourceFinding],
        *,
        now: float,
    ) -> None:
        remembered, policy = repository.adoptions, repository.policy
        fresh = (
            adoption
            for name, package in repository.packages.items()
            if (finding := findings.get(name)) and finding.record
            for adoption in _adoptions(name, package.seen, finding.record, int(now))
        )
        self.news = remembered.unknown(fresh)
        self._policy = policy
        self._of: dict[str, list[Adoption]] = defaultdict(list)
        self._taken_over: dict[str, set[str]] = defaultdict(set)
        for adoption in (*remembered.entries, *self.news):
            self._of[adoption.package].append(adoption)
            if (
                not adoption.comaintainer
                and adoption.account
                and now - adoption.time < policy.adoptions_within
            ):
                self._taken_over[adoption.account].add(adoption.package)

    def vouched(self, package: FollowedPackage, finding: SourceFinding) -> Vouched | None:
        """Return what the AUR vouches for about a package, None where it is not asked."""
        record = finding.record
        if record is None:
            return None
        own = self._of[package.name]
        maintainers = [it for it in own if not it.comaintainer]
        newest = maintainers[-1] if maintainers else None
        return Vouched(
            record=record,
            maintainer_change=_change(newest)
            if newest and newest.account == record.maintainer
            else None,
            comaintainer_changes=tuple(
                _change(it)
                for it in own
                if it.comaintainer and it.account in (record.comaintainers or ())
            ),
            adopted=len(self._taken_over.get(record.maintainer, ())),
            submitted_before=package.seen.submitted,
        )

    def problems(self) -> Iterator[str]:
        """Yield what everybody is to hear: accounts that take over many packages now."""
        for account in sorted({it.account for it in self.news if not it.comaintainer}):
            packages = sorted(self._taken_over.get(account, ()))
            if len(packages) >= self._policy.many_adoptions:
                shown = ", ".join(packages[:10]) + (", …" if len(packages) > 10 else "")
                yield f"alarm: {account} took over {len(packages)} packages lately: {shown}"


def _adoptions(name: str, seen: LastSeen, record: AurPackage, now: int) -> Iterator[Adoption]:
    if not (seen.maintainer or seen.modified):
        return  # it is seen for the first time
    if seen.maintainer != record.maintainer:
        yield Adoption(package=name, account=record.maintainer, before=seen.maintainer, time=now)
    if seen.submitted and record.comaintainers is not None:
        for account in sorted({*record.comaintainers} - {*seen.comaintainers.split()}):
            yield Adoption(package=name, account=account, time=now, comaintainer=True)


def _change(adoption: Adoption) -> Change:
    return Change(account=adoption.account, before=adoption.before, time=adoption.time)
