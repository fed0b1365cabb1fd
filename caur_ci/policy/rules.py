"""What can be found about the people behind a change and against the repository's lists.

Written as the judge's own findings are; `docs/trust.md` holds the same as a table.
"""

from __future__ import annotations

from caur_ci.judge.catalogue import RULES as JUDGED
from caur_ci.judge.catalogue import cut
from caur_ci.judge.model import Finding, Severity
from caur_ci.judge.rule import Rule
from caur_ci.policy.model import Action

_NOTE, _WARNING, _DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER

# What stands in place of a file: what is found there is in none.
AUR = "AUR"

TRUST_RULES = (
    Rule("aur-maintainer-changed", _WARNING, "its maintainer is new: {what}", "alice → mallory"),
    Rule("aur-adopted", _WARNING, "it was an orphan, and was adopted lately: {what}", "→ mallory"),
    Rule("aur-comaintainer-added", _WARNING, "a co-maintainer is new: {what}", "+ mallory"),
    Rule("aur-orphan", _NOTE, "nobody maintains it any more", "alice →"),
    Rule("aur-package-young", _WARNING, "it is at the AUR for {what} only", "made yesterday"),
    Rule(
        "aur-created-anew",
        _DANGER,
        "the package that was followed is gone: this one was made {what}",
        "deleted, and made by somebody else",
    ),
    Rule("aur-many-adoptions", _DANGER, "{what}", "one account, ten orphans, one week"),
    Rule("aur-gone", _DANGER, "the AUR has no such package any more", "deleted"),
    Rule("indicator-host", _DANGER, "it names a host of the lists: {what}", "a host of an attack"),
    Rule(
        "indicator-account", _DANGER, "an account of the lists has to do with it: {what}", "mallory"
    ),
    Rule("indicator-hash", _DANGER, "it holds or names a hash of the lists: {what}", "sha256"),
)
RULES = {rule.code: rule for rule in TRUST_RULES}
EVERY_RULE = {**JUDGED, **RULES}

# What leads to more than its severity does.
DEFAULT_CODES = {
    "aur-many-adoptions": Action.ALARM,
    "aur-created-anew": Action.ALARM,
    "aur-gone": Action.ALARM,
    "indicator-host": Action.ALARM,
    "indicator-account": Action.ALARM,
    "indicator-hash": Action.ALARM,
}


def trust_finding(
    code: str, *, file: str = AUR, old: str = "", new: str = "", what: str = ""
) -> Finding:
    """Return a finding of these rules; `what` goes into its sentence."""
    rule = RULES[code]
    message = rule.sentence.format(what=cut(what, 120))
    return Finding(code, rule.severity, file, 0, cut(old), cut(new), message)


def rule_finding(code: str) -> Finding:
    """Return a finding that has a code and its severity, and is about nothing."""
    return Finding(code, EVERY_RULE[code].severity, "", 0, "", "", "")
