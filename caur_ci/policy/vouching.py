"""What the AUR vouches for: who maintains a package, since when, and what else they took over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.policy.durations import ago, in_words
from caur_ci.policy.rules import trust_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.aur import AurPackage
    from caur_ci.judge.model import Finding
    from caur_ci.policy.model import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who was there before somebody else came, and when that was first seen, in Unix seconds.

    Without `before` the package was an orphan.
    """

    account: str
    before: str
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What the AUR says of a package now, and what is remembered of it.

    `maintainer_change` and `comaintainer_changes` are the newest that are known; `adopted` counts
    the packages that the maintainer took over lately, this one among them. `submitted_before` is
    when the package that was followed had been made, in Unix seconds, 0 where that is not known.
    """

    record: AurPackage
    maintainer_change: Change | None = None
    comaintainer_changes: tuple[Change, ...] = ()
    adopted: int = 0
    submitted_before: int = 0

    @property
    def accounts(self) -> frozenset[str] | None:
        """Everybody who may push, None where that is not known or nobody may."""
        if not self.record.maintainer or self.record.comaintainers is None:
            return None
        return frozenset({self.record.maintainer, *self.record.comaintainers})


def is_trusted(policy: Policy, package: str, vouched: Vouched | None) -> bool:
    """Tell whether everybody who may push to a package is trusted with it."""
    accounts = vouched.accounts if vouched else None
    return accounts is not None and accounts <= policy.trusted_for(package)


def trust_findings(policy: Policy, vouched: Vouched, now: float) -> Iterator[Finding]:
    """Yield what there is to say about the people behind a change at the time `now`."""
    record = vouched.record
    if not record.maintainer:
        yield trust_finding("aur-orphan")
    change = vouched.maintainer_change
    if change and record.maintainer and _is_within(change.time, policy.adoption_age, now):
        code = "aur-maintainer-changed" if change.before else "aur-adopted"
        told = f"{record.maintainer}, first seen {ago(now - change.time)}"
        told = f"{told}, in place of {change.before}" if change.before else told
        yield trust_finding(code, old=change.before, new=record.maintainer, what=told)
    for added in vouched.comaintainer_changes:
        if _is_within(added.time, policy.adoption_age, now):
            yield trust_finding("aur-comaintainer-added", new=added.account, what=added.account)
    if record.first_submitted and _is_within(record.first_submitted, policy.package_age, now):
        age = in_words(now - record.first_submitted)
        yield trust_finding("aur-package-young", what=age)
    if 0 < vouched.submitted_before < record.first_submitted:
        yield trust_finding("aur-created-anew", what=ago(now - record.first_submitted))
    if vouched.adopted >= policy.many_adoptions:
        told = (
            f"{record.maintainer} took over {vouched.adopted} of the packages here within "
            f"{in_words(policy.adoptions_within)}"
        )
        yield trust_finding("aur-many-adoptions", new=record.maintainer, what=told)


def _is_within(time: float, seconds: int, now: float) -> bool:
    return now - time < seconds
