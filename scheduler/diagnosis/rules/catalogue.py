"""All rules in their order, and the look-up of what a line means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

from scheduler.diagnosis.rules import compiled, machine, packaging, scripted, suites
from scheduler.diagnosis.rules.rule import Rank, Rule, Rules

if TYPE_CHECKING:
    from scheduler.job import FailureClass

# What else reads like an error, whoever says it.
_ANYBODY = Rules()
_ANYBODY.add(
    "",
    Rank.LIKELY,
    None,
    ("error", r"^(?:\S{1,80}: )?(?:fatal |FATAL |internal )?(?:[Ee]rror|ERROR)(?:\[\w+\])?: \S"),
    ("error", r"^\[(?:ERROR|error)\] \S"),
    ("fatal", r"^\[FATAL\] \S"),
    ("fatal", r"^(?:FATAL|Fatal)(?: error)?: "),
    ("abort", r"^(?:Aborted|Abort trap)\b"),
)
_ANYBODY.add(
    "",
    Rank.WEAK,
    None,
    ("error", r"\b[Ee](?:rror|RROR):? "),
    ("fail", r"\b(?:[Ff]ailed|FAILED)\b"),
    ("cannot", r"^\S+: cannot "),
    ("no such file", r": No such file or directory$"),
)

# What says more stands before what says less: the first that fits counts.
RULES = tuple(
    rule
    for rules in (
        machine.RULES,
        suites.RULES,
        packaging.RULES,
        scripted.RULES,
        compiled.RULES,
        machine.CRASHES,
        _ANYBODY,
    )
    for rule in rules.found
)
# Most lines have none of these, so that there is less to look for.
_ROOTS = (
    *("error", "fail", "not ", "no ", "could", "cannot", "missing", "exception", "killed"),
    *("alloc", "undefined", "depend", "resol", "certificate", "connection", "git", "go", "***"),
    *("line ", "make", "patch", "test", "npm", "java", "exit", "link", "lock", "build"),
    *("fatal", "corrupt", "unre", "abort", "file", "module", "err_"),
)


def _grouped() -> dict[str, list[tuple[int, Rule]]]:
    """Return the rules and their places in the order, by what every line that they fit has."""
    groups: dict[str, list[tuple[int, Rule]]] = {}
    for place, rule in enumerate(RULES):
        root = next((root for root in _ROOTS if root in rule.word), rule.word)
        groups.setdefault(root, []).append((place, rule))
    return groups


_GROUPS = _grouped()
# Patterns never see more of a line than this.
_LOOKED_AT = 1000
# Commands that are shown before they run, what configure looks for, and what is no error yet.
_HARMLESS = re.compile(
    r"^(?:\s*(?:\[\s*\d+[%/]|\+\s|checking |-- (?!Configuring incomplete)|#\s*(?:define|include)\b)"
    r"|(?:\S*/)?(?:\w+-)*(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|libtool|ar|rustc)(?:-[\d.]+)?\s+-"
    r"|libtool: (?:compile|link)|/bin/sh \S*libtool"
    r"|\S+:\d+(?::\d+)?: (?:warning|note): )"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """Whose message a line is, how much it tells, and which kind of failure, where it says so."""

    tool: str
    rank: Rank
    failure: FailureClass | None
    is_test: bool


def meaning_of(text: str) -> Meaning | None:
    """Return what a line of a log means, None where it is nothing out of the ordinary."""
    text = text[:_LOOKED_AT]
    if _HARMLESS.match(text):
        return None
    small = text.lower()
    roots = tuple(root for root in _GROUPS if root in small)
    if not roots:
        return None
    for rule in _rules_below(roots):
        if rule.word in small and rule.pattern.search(text):
            return Meaning(rule.tool, rule.rank, rule.failure, rule.is_test)
    return None


@lru_cache(maxsize=1024)
def _rules_below(roots: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the rules with these roots, in their order."""
    pairs = (pair for root in roots for pair in _GROUPS[root])
    return tuple(rule for _, rule in sorted(pairs, key=itemgetter(0)))
