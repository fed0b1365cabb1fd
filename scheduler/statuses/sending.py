"""Sets the statuses that wait, the newest of each job only."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from scheduler.forges import GitLabProject, project_of
from scheduler.links import log_link, started_of
from scheduler.outbox import DeliveryError, Patience
from scheduler.statuses.forge import CommitStatus
from scheduler.statuses.github import GitHubStatuses
from scheduler.statuses.gitlab import GitLabStatuses
from scheduler.statuses.model import State, Update

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scheduler.logs import LogStore
    from scheduler.outbox import Outbox
    from scheduler.settings.telling import StatusNotifier
    from scheduler.statuses.forge import StatusForge

_log = logging.getLogger(__name__)

_KEPT_SECONDS = 7 * 24 * 3600.0
_MOST_WAITING = 20_000
# GitLab refuses the whole status for one that is longer.
_LONGEST_LINK = 255


class StatusSender:
    """A Sender of statuses. `forges` are clients by source repository."""

    name = "setting commit statuses"

    def __init__(
        self,
        outbox: Outbox,
        notifiers: Mapping[str, StatusNotifier],
        forges: Mapping[str, StatusForge],
        logs: LogStore,
        *,
        logs_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.outbox = outbox
        self._patience = Patience(outbox)
        self._notifiers = notifiers
        self._forges = forges
        self._logs = logs
        self._logs_url = logs_url
        self._clock = clock

    def send(self, may_go_on: Callable[[], bool]) -> None:
        """Set what can be set. Raises TemporaryError where Redis is out of reach."""
        if not self.outbox.size():
            return
        entries = self.outbox.entries()
        waiting = self._without_the_useless(entries)
        rests = self._patience.rests()
        resting = {whom for whom, rest in rests.items() if self._clock() < rest.until}
        for key, update in waiting.items():
            source = update.subject.source_repo
            if source in resting:
                continue
            if not may_go_on():
                return
            if not self._send_one(key, entries[key], update):
                resting.add(source)
            elif source in rests:
                self._patience.succeeded(source)
                del rests[source]

    def _without_the_useless(self, entries: Mapping[str, str]) -> dict[str, Update]:
        """Drop what nobody is there for any more, what is too old, and the oldest of too many."""
        updates = Update.all_of(entries)
        oldest = self._clock() - _KEPT_SECONDS
        useful = [
            key
            for key, update in updates.items()
            if update.subject.source_repo in self._forges and update.time >= oldest
        ][-_MOST_WAITING:]
        useless = entries.keys() - set(useful)
        if useless:
            _log.warning("%d commit statuses were given up", len(useless))
            self.outbox.drop(useless)
            jobs = {updates[key].subject.job_id for key in useless if key in updates}
            self.outbox.change_notes({f"posted:{job}": None for job in jobs})
        return {key: updates[key] for key in useful}

    def _send_one(self, key: str, text: str, update: Update) -> bool:
        """Set one status; tell whether its forge can be told more."""
        forge = self._forges[update.subject.source_repo]
        posted = f"posted:{update.subject.job_id}"
        before = self.outbox.notes_of([posted]).get(posted)
        try:
            forge.set_status(self._status(update), before=State(before) if before else None)
        except DeliveryError as error:
            return self._not_taken(key, text, update, error)
        self.outbox.take_out({key: text})
        is_last = update.state.is_final and key == str(update.subject.job_id)
        self.outbox.change_notes({posted: None if is_last else str(update.state)})
        self.outbox.count("sent")
        return True

    def _not_taken(self, key: str, text: str, update: Update, error: DeliveryError) -> bool:
        what = f"the status of {update.subject.pkgbase} at {update.subject.commit[:12]}"
        self.outbox.count("failed")
        if error.refused:
            _log.warning("%s is not shown: %s", what, error.message)
            self.outbox.take_out({key: text})
            return True
        source, now = update.subject.source_repo, self._clock()
        rest = self._patience.failed(source, error.message, now, wait=error.wait)
        pause = rest.until - now
        _log.warning("%s is not shown yet: %s; again in %d s", what, error.message, pause)
        return False

    def _status(self, update: Update) -> CommitStatus:
        subject = update.subject
        started = None
        if self._logs_url and update.attempt:
            started = started_of(self._logs, subject.identity, subject.job_id, update.attempt)
        link = log_link(self._logs_url, subject.pkgbase, started)
        name = self._notifiers[subject.source_repo].check_name
        return CommitStatus(
            commit=subject.commit,
            pipeline=subject.pipeline,
            name=name.replace("%pkgbase%", subject.pkgbase),
            state=update.state,
            description=update.description,
            link=link if len(link) <= _LONGEST_LINK else "",
        )


def forge_of(notifier: StatusNotifier) -> StatusForge:
    """Return what sets the statuses that a notifier asks for."""
    project = project_of(notifier)
    if isinstance(project, GitLabProject):
        return GitLabStatuses(project)
    return GitHubStatuses(project)
