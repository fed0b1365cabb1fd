"""Looks at whom the database runner tells what happens, and at who takes none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.queue_view import timestamp
from caur_ci.cli.telling import open_targets, telling_settings
from scheduler import issues, notifications, statuses
from scheduler.outbox import Outbox, Patience

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.cli.doctor.checks import Examination
    from caur_ci.cli.session import Session
    from scheduler.queue import QueueReader

_OUTBOXES = (notifications.OUTBOX, statuses.OUTBOX, issues.OUTBOX)


def examine_telling(found: Examination, session: Session, environ: Mapping[str, str]) -> None:
    """Look at the settings; nobody is sent anything."""
    found.look("notifications", lambda: _targets(found, session, environ))


def examine_outboxes(found: Examination, queue: QueueReader) -> None:
    """Look for those who take nothing at present."""
    for name in _OUTBOXES:
        for whom, rest in Patience(Outbox(queue.client, name)).rests().items():
            found.warn(
                name,
                f"{whom} has taken nothing since {timestamp(rest.since)}: {rest.reason}",
                "`caur-ci notify --list` shows what waits, `caur-ci notify --test` tries it out.",
            )


def _targets(found: Examination, session: Session, environ: Mapping[str, str]) -> None:
    settings = telling_settings(session, environ)
    if targets := open_targets(settings):
        names = ", ".join(f"{target.name} ({target.service})" for target in targets)
        found.ok("notifications", f"{names}; `caur-ci notify --test` tries them out")
    for name, notifier in settings.notifiers.items():
        found.ok("statuses", f"commits of {name} at {notifier.server}, {notifier.project}")
