"""The ledger: what earlier runs decided about packages, and why, on branch `caur`.

It is bounded: the oldest entries go. A line of JSON for each, so that a run adds a few lines to a
file that it need not understand, and git stores little more than those.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_ENTRIES = 5000
# In place of a package's name, where an entry is about very many.
EVERYTHING = "*"
# What decisions about pushing to the AUR begin with.
AUR_DECISION = "aur-"
_MANY = 100
# Decisions that lead to builds.
_ASKING = frozenset({"build", "bump", "update", "remove"})
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One decision about one package.

    `time` is in Unix seconds. `run` is `on-commit`, `on-schedule` or `trigger NAME`, `link` where
    its log is, `page` where more is told about the change. Versions are empty where there is no
    update.
    """

    time: int
    run: str
    commit: str
    package: str
    decision: str
    reason: str
    link: str = ""
    page: str = ""
    before: str = ""
    after: str = ""

    def told(self, when: str) -> str:
        """Return it for people, with its time as they read it."""
        versions = f" {self.before or 'nothing'} → {self.after}" if self.after else ""
        links = "".join(f", {link}" for link in (self.page, self.link) if link)
        return (
            f"{when}: {self.run} at {self.commit[:12]} decided {self.decision}{versions}: "
            f"{self.reason}{links}"
        )


@dataclass(frozen=True, slots=True)
class Ledger:
    """The lines of the ledger, oldest first."""

    lines: tuple[bytes, ...] = ()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take a ledger as it is stored."""
        return cls(tuple(line for line in content.split(b"\n") if line))

    def to_bytes(self) -> bytes:
        """Return the ledger as it is stored."""
        return b"".join(line + b"\n" for line in self.lines)

    def add(self, entries: Iterable[LedgerEntry]) -> Ledger:
        """Return the ledger with `entries` as its newest; the oldest ones go.

        What says the same as the latest entry about its package is no news, unless a build was
        asked for: a package that stays out of reach must not push all others out.
        """
        news = (entry for entry in entries if not self._is_known(entry))
        return Ledger((*self.lines, *map(_line, news))[-MAX_ENTRIES:])

    def about(self, package: str) -> list[LedgerEntry]:
        """Return what was decided about `package` or about very many, newest first."""
        names = (package, EVERYTHING)
        quoted = [json.dumps(name).encode() for name in names]
        lines = (line for line in reversed(self.lines) if any(name in line for name in quoted))
        return [entry for entry in map(_entry, lines) if entry and entry.package in names]

    def _is_known(self, entry: LedgerEntry) -> bool:
        if entry.decision in _ASKING:
            return False
        quoted = json.dumps(entry.package).encode()
        for line in reversed(self.lines):
            latest = _entry(line) if quoted in line else None
            if latest is not None and latest.package == entry.package:
                return _said(latest) == _said(entry)
        return False

    def __iter__(self) -> Iterator[LedgerEntry]:
        """Yield the entries, oldest first."""
        return (entry for entry in map(_entry, self.lines) if entry is not None)


def summarized(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Return the entries, with those that say the same of very many packages made one.

    When the AUR is out of reach, that is one thing to remember, not thousands.
    """
    entries = list(entries)
    alike = Counter((entry.decision, entry.reason) for entry in entries)
    kept: list[LedgerEntry] = []
    told: set[tuple[str, str]] = set()
    for entry in entries:
        kind = (entry.decision, entry.reason)
        if alike[kind] <= _MANY:
            kept.append(entry)
        elif kind not in told:
            told.add(kind)
            reason = f"{entry.reason} ({alike[kind]} packages)"
            kept.append(replace(entry, package=EVERYTHING, reason=reason, before="", after=""))
    return kept


def _said(entry: LedgerEntry) -> tuple[str, ...]:
    reason = entry.reason[:_MAX_TEXT]
    return (entry.run, entry.decision, reason, entry.before, entry.after)


def _line(entry: LedgerEntry) -> bytes:
    data = {key: value for key, value in asdict(entry).items() if value != ""}
    data["reason"] = entry.reason[:_MAX_TEXT]
    return json.dumps(data, separators=(",", ":")).encode()


def _entry(line: bytes) -> LedgerEntry | None:
    """Read one line; None for what a program of another version may have written."""
    try:
        data = json.loads(line)
        known = {key: data[key] for key in LedgerEntry.__slots__ if key in data}
        if not all(isinstance(known[key], int if key == "time" else str) for key in known):
            return None
        return LedgerEntry(**known)
    except (ValueError, TypeError):
        return None
