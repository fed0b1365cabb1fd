"""How a package stands with the trust policy of its repository, from what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.judge.model import Severity
from caur_ci.policy.deciding import action_of
from caur_ci.policy.durations import ago, in_words
from caur_ci.policy.rules import DEFAULT_CODES, EVERY_RULE, rule_finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.pipeline.shared.memory.adoptions import Adoption
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All of it. `actions` are by severity and by code, the codes that differ from their severity.

    `maintainer` is empty where the AUR knows none, or was not seen to name one. Times are in Unix
    seconds, 0 where nothing is known.
    """

    package: str
    maintainer: str
    comaintainers: tuple[str, ...]
    submitted: int
    changed: int
    is_new_for: int
    trusted: bool
    untrusted: tuple[str, ...]
    cool_down: int
    hosts: tuple[str, ...]
    owners: tuple[str, ...]
    severities: Mapping[str, str]
    codes: Mapping[str, str]
    hold: str
    now: float

    def sentences(self) -> list[str]:
        """Return it for people."""
        return [
            self._people(),
            *self._trust(),
            f"versions are taken over {in_words(self.cool_down)} after they were pushed"
            if self.cool_down
            else "versions are taken over at once",
            *(f"sources may move to {place}" for place in (*self.hosts, *self.owners)),
            *(f"a {severity} leads to: {to}" for severity, to in self.severities.items()),
            *(f"{code} leads to: {to}" for code, to in self.codes.items()),
            *([f"it is {self.hold}"] if self.hold else ()),
        ]

    def _people(self) -> str:
        if not self.maintainer:
            return "nothing is known of a maintainer at the AUR"
        told = f"{self.maintainer} maintains it at the AUR"
        if self.comaintainers:
            told += f", with {', '.join(self.comaintainers)}"
        if self.submitted:
            told += f"; it is there since {datetime.fromtimestamp(self.submitted, UTC):%Y-%m-%d}"
        return told

    def _trust(self) -> list[str]:
        told = []
        if self.changed:
            told.append(f"who maintains it changed, which was seen {ago(self.now - self.changed)}")
            if self.is_new_for:
                told.append(f"they count as new for {in_words(self.is_new_for)} more")
        if self.trusted:
            told.append("everybody who may push is trusted: warnings need nobody")
        elif self.maintainer:
            told.append(f"not trusted: {', '.join(self.untrusted)}")
        return told


def standing_of(
    policy: Policy, package: str, memory: Memory, *, wants_reviews: bool, now: float
) -> Standing:
    """Return how `package` stands at the time `now`, in Unix seconds."""
    seen = memory.seen.get(package)
    comaintainers = tuple(seen.comaintainers.split())
    known = policy.trusted_for(package)
    everybody = (seen.maintainer, *comaintainers) if seen.maintainer else ()
    untrusted = tuple(it for it in everybody if it not in known)
    trusted = bool(everybody and seen.submitted) and not untrusted
    changes = [it for it in memory.adoptions.of(package) if _is_current(it, everybody)]
    changed = max((it.time for it in changes), default=0)
    hold = memory.holds.get(package)

    severities, codes = _led_to(policy, package, trusted=trusted, wants_reviews=wants_reviews)
    own = policy.of(package)
    return Standing(
        package=package,
        maintainer=seen.maintainer,
        comaintainers=comaintainers,
        submitted=seen.submitted,
        changed=changed,
        is_new_for=max(0, int(changed + policy.adoption_age - now)) if changed else 0,
        trusted=trusted,
        untrusted=untrusted or (("its co-maintainers are not known",) if everybody else ()),
        cool_down=0 if trusted else policy.cool_down_of(package),
        hosts=(*policy.hosts, *own.hosts),
        owners=(*policy.owners, *own.owners),
        severities=severities,
        codes=codes,
        hold=str(hold) if hold else "",
        now=now,
    )


def _led_to(
    policy: Policy, package: str, *, trusted: bool, wants_reviews: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what findings lead to by severity, and by code where that is something else."""
    by_code = {
        code: action_of(
            policy, package, rule_finding(code), trusted=trusted, wants_reviews=wants_reviews
        ).value
        for code in EVERY_RULE
    }
    said = {*policy.codes, *policy.of(package).codes, *DEFAULT_CODES}
    severities = {
        severity.value: next(
            action
            for code, action in by_code.items()
            if EVERY_RULE[code].severity is severity and code not in said
        )
        for severity in Severity
    }
    others = {
        code: action
        for code, action in by_code.items()
        if action != severities[EVERY_RULE[code].severity.value]
    }
    return severities, others


def _is_current(adoption: Adoption, everybody: tuple[str, ...]) -> bool:
    if adoption.comaintainer:
        return adoption.account in everybody[1:]
    return bool(everybody) and adoption.account == everybody[0]
