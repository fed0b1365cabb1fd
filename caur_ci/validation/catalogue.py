"""Everything that can be found: codes that stay as they are, severities, sentences, remedies.

`docs/validate.md` holds the same as tables, written by
`python -m caur_ci.validation.catalogue_page`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.plaintext import one_line
from caur_ci.validation.model import Finding
from caur_ci.validation.package_rules import PACKAGE_RULES
from caur_ci.validation.setting_rules import SETTING_RULES

if TYPE_CHECKING:
    from caur_ci.validation.model import Mend, Rule

# By topic, in the order in which the documentation has them.
CATALOGUE: dict[str, tuple[Rule, ...]] = {**PACKAGE_RULES, **SETTING_RULES}
RULES = {rule.code: rule for rules in CATALOGUE.values() for rule in rules}
# What people read of a message; what is in files may be any length.
_LONGEST = 400


def finding(
    code: str,
    *,
    file: str,
    package: str = "",
    line: int = 0,
    what: str = "",
    remedy: str = "",
    mend: Mend | None = None,
) -> Finding:
    """Return a finding of the catalogue; `what` goes into its sentence.

    `remedy` is told in place of the rule's own, where more is known.
    """
    rule = RULES[code]
    message = rule.sentence.replace("{what}", cut(what))
    return Finding(
        code, rule.severity, package, one_line(file), line, message, remedy or rule.remedy, mend
    )


def cut(text: str, most: int = _LONGEST) -> str:
    """Return a text from outside on one line, not longer than people want to read."""
    text = one_line(text[: 4 * most])
    return text if len(text) <= most else f"{text[: most - 1]}…"
