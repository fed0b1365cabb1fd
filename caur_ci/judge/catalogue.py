"""Everything that the judge can find: codes that stay as they are, severities, sentences, examples.

`docs/judge.md` holds the same as a table, written by `python -m caur_ci.judge.catalogue_page`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.judge.model import SHOWN, Finding
from caur_ci.judge.package_rules import PACKAGE_RULES
from caur_ci.judge.recipe_rules import RECIPE_RULES

if TYPE_CHECKING:
    from caur_ci.judge.rule import Rule

# By topic, in the order in which the documentation has them.
CATALOGUE: dict[str, tuple[Rule, ...]] = {**RECIPE_RULES, **PACKAGE_RULES}
RULES = {rule.code: rule for rules in CATALOGUE.values() for rule in rules}


def finding(
    code: str, *, file: str, line: int = 0, old: str = "", new: str = "", what: str = ""
) -> Finding:
    """Return a finding of the catalogue; `what` goes into its sentence."""
    rule = RULES[code]
    message = rule.sentence.format(what=cut(what, 120))
    path = file.encode("utf-8", "backslashreplace").decode()
    return Finding(code, rule.severity, path, line, cut(old), cut(new), message)


def cut(text: str, most: int = SHOWN) -> str:
    """Return a text from outside on one line, not longer than people want to read."""
    text = " ".join(text[: 4 * most].encode("utf-8", "replace").decode().split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
