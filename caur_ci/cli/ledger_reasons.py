"""What branch `caur` tells of a package: what earlier runs decided about it, and who holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.queue_view import timestamp
from caur_ci.cli.reasons import Reason
from caur_ci.errors import CaurError
from caur_ci.pipeline.shared.memory.ledger import AUR_DECISION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from caur_ci.cli.session import Session
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.holds import Hold
    from caur_ci.pipeline.shared.memory.ledger import LedgerEntry

_SHOWN = 5
_BUILDS = frozenset({"build", "bump", "update"})


def read_memory(session: Session, *, repo: Path, remote: str | None) -> Memory | None:
    """Return what is on branch `caur`; None outside of a repository.

    A branch that cannot be read is a warning.
    """
    from caur_ci.cli.holds import memory_at  # noqa: PLC0415 - slow to import

    try:
        return memory_at(session, repo, remote)
    except CaurError as error:
        session.warn(f"the ledger on branch caur cannot be read: {error.message}")
        return None


def hold_reason(package: str, hold: Hold) -> Reason:
    """Return that a package is on hold, and what was left out for it."""
    text = f"it is {hold}; `caur-ci unhold {package}` ends that"
    left_out = Reason(source="holds", text=f"left out since: {hold.left_out}")
    return Reason(source="holds", text=text, because=(left_out,) if hold.left_out else ())


def ledger_reasons(entries: Iterable[LedgerEntry]) -> Iterator[Reason]:
    """Yield the latest decisions, the newest with the older ones below it."""
    findings = [
        Reason(source="ledger", text=entry.told(timestamp(entry.time)))
        for entry in list(entries)[:_SHOWN]
    ]
    if findings:
        newest, *older = findings
        yield Reason(source="ledger", text=newest.text, because=tuple(older))


def is_asked_for(entries: Iterable[LedgerEntry]) -> bool:
    """Tell whether the latest decision led to a build; the AUR has nothing to do with that."""
    of_builds = (entry for entry in entries if not entry.decision.startswith(AUR_DECISION))
    return next((entry.decision in _BUILDS for entry in of_builds), False)


def lost_request(package: str) -> Reason:
    """Return why a build that was asked for may be unknown to the queue."""
    text = (
        "a build was asked for, and the queue knows nothing of it: it is still in the outbox "
        "(`caur-ci schedule --outbox` hands it over), it ended long ago, or it was lost with the "
        "queue: `caur-ci reconcile` finds all such packages, and "
        f"`caur-ci schedule {package}` asks for it again"
    )
    return Reason(source="ledger", text=text)
