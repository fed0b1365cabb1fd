"""What a repository's policy makes of a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.judge.addresses import Address, addresses_in
from caur_ci.judge.model import Judgement, Severity, summary_of
from caur_ci.policy.indicators import indicator_findings
from caur_ci.policy.model import RANK, Action, Policy
from caur_ci.policy.rules import DEFAULT_CODES
from caur_ci.policy.vouching import Vouched, is_trusted, trust_findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.judge.model import Finding
    from caur_ci.judge.package import File

_PLACES = frozenset({"source-host", "source-owner", "source-repository", "source-added"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What is done about a change, and why.

    `judgement` has what was found about people and by lists as well; `grounds` are the findings
    that led to `action`, `waved_through` those that people would have seen without the policy.
    `trusted` tells whether everybody who may push is. The change is not taken over before the time
    `not_before`, in Unix seconds.
    """

    action: Action
    judgement: Judgement
    grounds: tuple[Finding, ...] = ()
    waved_through: tuple[Finding, ...] = ()
    trusted: bool = False
    not_before: float = 0

    @property
    def reasons(self) -> tuple[str, ...]:
        """What somebody should look at, one line each."""
        return tuple(map(str, self.grounds))

    @property
    def summary(self) -> str:
        """The first of the reasons in one line."""
        return summary_of(self.reasons)

    @property
    def remark(self) -> str:
        """That something was waved through, and by what; nothing where nothing was."""
        if not self.waved_through:
            return ""
        codes = ", ".join(sorted({it.code for it in self.waved_through}))
        by = "its maintainers are trusted" if self.trusted else "the policy allows it"
        return f"taken over because {by}: {codes}"


def decide(
    policy: Policy,
    package: str,
    judgement: Judgement,
    *,
    wants_reviews: bool,
    now: float,
    files: Mapping[str, File] | None = None,
    vouched: Vouched | None = None,
) -> Decided:
    """Return what is done about a change of `package` that the judge found this about.

    `files` are those of the new folder; `wants_reviews` tells whether people want to see warnings
    where the policy says nothing about them. `now` is in Unix seconds.
    """
    found = list(judgement.findings)
    found += indicator_findings(policy.indicators, files or {}, _accounts(vouched))
    found += trust_findings(policy, vouched, now) if vouched else ()
    complete = Judgement.of(found)
    trusted = is_trusted(policy, package, vouched)
    actions = {
        it: action_of(policy, package, it, trusted=trusted, wants_reviews=wants_reviews)
        for it in complete.findings
    }
    action = max(actions.values(), key=RANK.__getitem__, default=Action.APPLY)
    return Decided(
        action=action,
        judgement=complete,
        grounds=tuple(it for it, to in actions.items() if to is not Action.APPLY),
        waved_through=tuple(
            it
            for it, to in actions.items()
            if to is Action.APPLY and _by_severity(it, wants_reviews) is not Action.APPLY
        ),
        trusted=trusted,
        not_before=_not_before(policy, package, vouched, trusted=trusted),
    )


def action_of(
    policy: Policy, package: str, found: Finding, *, trusted: bool, wants_reviews: bool
) -> Action:
    """Return what one finding about `package` leads to.

    What is said of a package and a code goes before what is said of all packages; that before
    trust, which is in people as for warnings, and in places as for where sources come from; that
    before what its severity leads to. Any other danger is only applied where that is said of its
    code for this one package.
    """
    own = policy.of(package).codes.get(found.code)
    if own is not None:
        return own
    if found.code in policy.codes:
        return policy.codes[found.code]
    is_danger = found.severity is Severity.DANGER
    if _is_allowed_place(policy, package, found) or (trusted and not is_danger):
        return Action.APPLY
    if found.code in DEFAULT_CODES:
        return DEFAULT_CODES[found.code]
    return policy.severities.get(found.severity, _by_severity(found, wants_reviews))


def _by_severity(found: Finding, wants_reviews: bool) -> Action:
    if found.severity is Severity.DANGER:
        return Action.REVIEW
    return Action.REVIEW if found.severity is Severity.WARNING and wants_reviews else Action.APPLY


def _is_allowed_place(policy: Policy, package: str, found: Finding) -> bool:
    """Tell whether a source moved to where this package's sources may come from."""
    if found.code not in _PLACES:
        return False
    own = policy.of(package)
    parsed = [Address.of(address) for address in addresses_in(found.new)]
    return bool(parsed) and all(
        it is not None
        and (
            _matches(it.host, (*policy.hosts, *own.hosts))
            or f"{it.host}/{it.owner}" in (*policy.owners, *own.owners)
        )
        for it in parsed
    )


def _matches(host: str, patterns: Iterable[str]) -> bool:
    return any(
        host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
        for pattern in patterns
    )


def _accounts(vouched: Vouched | None) -> tuple[str, ...]:
    if vouched is None:
        return ()
    record = vouched.record
    everybody = (record.maintainer, record.submitter, *(record.comaintainers or ()))
    return tuple(account for account in everybody if account)


def _not_before(policy: Policy, package: str, vouched: Vouched | None, *, trusted: bool) -> float:
    cool_down = policy.cool_down_of(package)
    if vouched is None or trusted or not cool_down:
        return 0
    return vouched.record.last_modified + cool_down
