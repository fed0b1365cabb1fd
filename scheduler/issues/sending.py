"""Opens, renews and closes issues."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.issues.model import Known, Report
from scheduler.issues.wording import LABEL, body_of, farewell, title_of
from scheduler.links import commit_link, log_link, started_of
from scheduler.outbox import DeliveryError, Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scheduler.issues.tracker import Tracker
    from scheduler.logs import LogStore
    from scheduler.outbox import Outbox
    from scheduler.settings.telling import StatusNotifier

_log = logging.getLogger(__name__)

_DAY = 24 * 3600.0
_KEPT_SECONDS = 7 * _DAY
_REOPENED_SECONDS = 7 * _DAY
_MOST_A_DAY = 30


class IssueSender:
    """A Sender of how packages came out. `trackers` are by source repository."""

    name = "keeping issues"

    def __init__(
        self,
        outbox: Outbox,
        notifiers: Mapping[str, StatusNotifier],
        trackers: Mapping[str, Tracker],
        logs: LogStore,
        *,
        repository_urls: Mapping[str, str],
        logs_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.outbox = outbox
        self._patience = Patience(outbox)
        self._notifiers = notifiers
        self._trackers = trackers
        self._logs = logs
        self._urls = repository_urls
        self._logs_url = logs_url
        self._clock = clock

    def send(self, may_go_on: Callable[[], bool]) -> None:
        """Do what is to be done. Raises TemporaryError where Redis is out of reach."""
        if not self.outbox.size():
            return
        entries = self.outbox.entries()
        reports = self._without_the_useless(entries)
        rests = self._patience.rests()
        for source, tracker in self._trackers.items():
            own = {key: each for key, each in reports.items() if each.source_repo == source}
            if not own or (source in rests and self._clock() < rests[source].until):
                continue
            try:
                for key in self._dealt_with(tracker, own, may_go_on):
                    self.outbox.take_out({key: entries[key]})
            except DeliveryError as error:
                self._rest(source, error)
            else:
                self._patience.succeeded(source)

    def _without_the_useless(self, entries: Mapping[str, str]) -> dict[str, Report]:
        """Drop what nobody is there for any more, and what is too old."""
        oldest = self._clock() - _KEPT_SECONDS
        useful = {
            key: report
            for key, report in Report.all_of(entries).items()
            if report.source_repo in self._trackers and report.time >= oldest
        }
        self.outbox.drop(entries.keys() - useful.keys())
        return useful

    def _dealt_with(
        self, tracker: Tracker, reports: Mapping[str, Report], may_go_on: Callable[[], bool]
    ) -> Iterator[str]:
        """Deal with reports, and yield what is done. Raises DeliveryError."""
        asked: Mapping[int, str] | None = None
        for key, report in reports.items():
            if not may_go_on():
                return
            try:
                if report.has_failed:
                    self._tell_failure(tracker, report)
                else:
                    if asked is None:
                        asked = tracker.open_issues(self._request_for(report, ""))
                    self._tell_success(tracker, report, asked)
            except DeliveryError as error:
                if not error.refused:
                    raise
                _log.warning("the issue about %s is given up: %s", report.identity, error.message)
            else:
                self.outbox.count("sent")
            yield key

    def _tell_failure(self, tracker: Tracker, report: Report) -> None:
        known = Known.from_json(self.outbox.notes_of([report.identity]).get(report.identity))
        if known and known.closed and report.time - known.closed > _REOPENED_SECONDS:
            known = None
        if known is None:
            if self._opened_lately(report) < _MOST_A_DAY:
                self._open(tracker, report)
            else:
                # Where so much fails, nobody is helped by an issue for each.
                _log.warning("no issue about %s: too many were opened", report.identity)
                self.outbox.count("dropped")
            return
        now = replace(known, failures=known.failures + report.count, closed=0.0)
        tracker.update(known.number, self._body(report, now), reopen=bool(known.closed))
        self._remember(report, now)

    def _opened_lately(self, report: Report) -> int:
        """Return how many issues were opened within a day before a report."""
        known = map(Known.from_json, self.outbox.notes().values())
        return sum(1 for each in known if each and each.since > report.time - _DAY)

    def _open(self, tracker: Tracker, report: Report) -> None:
        """Open an issue, unless it is there already: an answer may have got lost."""
        title = title_of(report)
        known = Known(number=0, failures=report.count, since=report.time)
        body = self._body(report, known)
        found = [number for number, it in tracker.open_issues(title).items() if it == title]
        if found:
            tracker.update(found[0], body, reopen=False)
        number = found[0] if found else tracker.create(title, body, LABEL)
        self._remember(report, replace(known, number=number))

    def _tell_success(self, tracker: Tracker, report: Report, asked: Mapping[int, str]) -> None:
        """Close the issue about a package, and the requests for it."""
        comment = farewell(report, commit_url=self._commit_url(report))
        known = Known.from_json(self.outbox.notes_of([report.identity]).get(report.identity))
        if known and not known.closed:
            tracker.close(known.number, comment)
            self._remember(report, replace(known, failures=0, closed=self._clock()))
        wanted = self._request_for(report, report.pkgbase).lower()
        for number, title in asked.items():
            if title.strip().lower() == wanted:
                tracker.close(number, comment)

    def _request_for(self, report: Report, pkgbase: str) -> str:
        """Return the title of a request to build a package."""
        title = self._notifiers[report.source_repo].rebuild_title
        return title.replace("%pkgbase%", pkgbase).strip()

    def _body(self, report: Report, known: Known) -> str:
        link = ""
        if self._logs_url:
            started = started_of(self._logs, report.identity, report.job_id, report.attempt)
            link = log_link(self._logs_url, report.pkgbase, started)
        return body_of(
            report,
            known,
            commit_url=self._commit_url(report),
            log_url=link,
            mention=self._notifiers[report.source_repo].mention,
        )

    def _commit_url(self, report: Report) -> str:
        return commit_link(self._urls.get(report.source_repo, ""), report.commit)

    def _remember(self, report: Report, known: Known) -> None:
        self.outbox.change_notes({report.identity: known.to_json()})

    def _rest(self, source: str, error: DeliveryError) -> None:
        now = self._clock()
        rest = self._patience.failed(source, error.message, now, wait=error.wait)
        self.outbox.count("failed")
        pause = rest.until - now
        _log.warning("issues of %s: %s; again in %d s", source, error.message, pause)
