"""Sends notes: what comes together is one message, and what was not taken comes again later."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from scheduler.links import log_link
from scheduler.notifications.markup import Markup
from scheduler.notifications.model import Waiting
from scheduler.notifications.wording import groups, message
from scheduler.outbox import DeliveryError, Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scheduler.notifications.model import Note
    from scheduler.notifications.target import Target
    from scheduler.notifications.wording import Group, Message
    from scheduler.outbox import Outbox

_log = logging.getLogger(__name__)

# More may follow at once: it is waited for so many seconds of silence, or so many in all.
_QUIET, _LONGEST = 8.0, 60.0
_KEPT_SECONDS = 7 * 24 * 3600.0


class NoteSender:
    """A Sender of notes."""

    name = "sending notifications"

    def __init__(
        self,
        outbox: Outbox,
        targets: Sequence[Target],
        *,
        logs_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.outbox = outbox
        self._patience = Patience(outbox)
        self._targets = {target.name: target for target in targets}
        self._logs_url = logs_url
        self._clock = clock

    def send(self, may_go_on: Callable[[], bool]) -> None:
        """Send what has waited long enough. Raises TemporaryError where Redis is out of reach."""
        if not self.outbox.size():
            return
        waiting = self._without_the_useless(self.outbox.entries())
        rests = self._patience.rests()
        for name, target in self._targets.items():
            own = [each for each in waiting if each.target == name]
            rest = rests.get(name)
            if rest and self._clock() < rest.until:
                continue
            due = [each for each in groups(own) if self._is_due(each)]
            self._send_all(target, due, may_go_on)

    def _without_the_useless(self, entries: Mapping[str, str]) -> list[Waiting]:
        """Drop what nobody is there for any more, and what is too old to be news."""
        oldest = self._clock() - _KEPT_SECONDS
        useful = [
            each
            for each in Waiting.all_of(entries)
            if each.target in self._targets and each.note.time >= oldest
        ]
        useless = entries.keys() - {each.key for each in useful}
        if useless:
            _log.warning("%d notifications were given up", len(useless))
            self.outbox.drop(useless)
        return useful

    def _is_due(self, group: Group) -> bool:
        now = self._clock()
        first, last = group.waiting[0].note.time, group.waiting[-1].note.time
        return now - last >= _QUIET or now - first >= _LONGEST

    def _send_all(
        self, target: Target, due: Sequence[Group], may_go_on: Callable[[], bool]
    ) -> None:
        """Send what is due to a target, up to the first message that it does not take."""
        for group in due:
            if not may_go_on():
                return
            try:
                self._send_one(target, group)
            except DeliveryError as error:
                now = self._clock()
                rest = self._patience.failed(target.name, error.message, now)
                self.outbox.count("failed")
                pause = rest.until - now
                _log.warning("%s is not told: %s; again in %d s", target.name, error.message, pause)
                return
            self.outbox.remove(each.key for each in group.waiting)
            self._patience.succeeded(target.name)
            self.outbox.count("sent")

    def _send_one(self, target: Target, group: Group) -> None:
        """Send the message about a group; where it is refused, as plain text."""
        try:
            target.send(self._message(target, group, target.markup))
        except DeliveryError as error:
            if not error.refused or target.markup is Markup.TEXT:
                raise
            target.send(self._message(target, group, Markup.TEXT), plain=True)

    def _message(self, target: Target, group: Group, markup: Markup) -> Message:
        return message(
            group, markup, self._log_link, limit=target.limit, has_title=target.has_title
        )

    def _log_link(self, note: Note) -> str:
        return log_link(self._logs_url, note.pkgbase, note.log_started or None)
