"""The package files of one repository that were recalled: they are not brought back unasked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.database.entries import Entry
    from scheduler.database.layout import Layout


@dataclass(frozen=True, slots=True)
class RecalledFiles:
    """What `recalled.json` of a repository remembers: SHA-256, and name and since when of each."""

    layout: Layout

    def note(self, entries: Iterable[Entry], *, now: float) -> None:
        """Remember that files were recalled, at the Unix time `now`. Raises OSError."""
        known = self._load()
        for entry in entries:
            known.setdefault(entry.sha256, {"file": entry.filename, "since": now})
        path = self.layout.private / "recalled.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(known, indent=0, sort_keys=True), encoding="utf-8")
        fresh.rename(path)

    def among(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return those of `entries` whose files were recalled."""
        known = self._load()
        return [entry for entry in entries if entry.sha256 in known]

    def _load(self) -> dict[str, Any]:
        try:
            data: dict[str, Any] = json.loads((self.layout.private / "recalled.json").read_bytes())
        except FileNotFoundError:
            return {}
        return data
