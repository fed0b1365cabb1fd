"""Who maintains a package at the AUR now, and who did when it was seen last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.update.source import FindingKind, LastSeen, SourceFinding

if TYPE_CHECKING:
    from caur_ci.aur import AurPackage


def with_ownership(
    finding: SourceFinding, before: LastSeen, record: AurPackage | None
) -> SourceFinding:
    """Return a finding about a package with what there is to say about who maintains it.

    `before` is what was seen last, `record` what the AUR says now.
    """
    if record is None or record.problem:
        return finding
    maintainer, comaintainers, submitted = people = _people(before, record)
    is_known = bool(before.maintainer or before.modified)
    is_news = is_known and people != (before.maintainer, before.comaintainers, before.submitted)
    seen = finding.seen or (before if is_news else None)
    if seen is None and finding.kind is not FindingKind.FILES:
        return finding
    if seen is not None:
        seen = replace(
            seen, maintainer=maintainer, comaintainers=comaintainers, submitted=submitted
        )
    told = _told(before, record) if is_known else ""
    remarks = (*finding.remarks, told) if told else finding.remarks
    return replace(finding, seen=seen, remarks=remarks, record=record)


def _people(before: LastSeen, record: AurPackage) -> tuple[str, str, int]:
    """Return what is to be remembered; what this answer does not tell stays as it was."""
    if record.comaintainers is None:
        comaintainers, submitted = before.comaintainers, before.submitted
    else:
        comaintainers, submitted = " ".join(sorted(record.comaintainers)), record.first_submitted
    return record.maintainer, comaintainers, submitted


def _told(before: LastSeen, record: AurPackage) -> str:
    if before.maintainer == record.maintainer:
        return ""
    if not record.maintainer:
        return f"{before.maintainer} has orphaned it"
    if not before.maintainer:
        return f"{record.maintainer} has adopted it"
    return f"its maintainer is {record.maintainer} now, and was {before.maintainer}"
