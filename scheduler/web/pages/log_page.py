"""The page of a log. The browser asks for the lines that it shows, and for what is new."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from scheduler.job import JobState
from scheduler.web.answers import AnswerError, bad_request, json_answer, not_found
from scheduler.web.pages.ansi import to_html
from scheduler.web.pages.jobs import find_job
from scheduler.web.pages.parameters import number, number_in_path, text
from scheduler.web.pages.rendering import page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.history import PastLog
    from scheduler.web.pages.log_lines import LineIndex, LineIndexes, LogLine, Read
    from scheduler.web.services import WebServices

# Lines in one answer: a browser asks for as many at once.
LINES_AT_ONCE = 500
_LARGEST_NUMBER = 2**53 - 1
_MATCHES = 200
# A search takes a processor for a while: the pages of others must not wait for it.
_SEARCHES_AT_ONCE = 2
_PATIENCE = 5.0


class LogPage:
    """The page, its lines, and what is found in it."""

    def __init__(self, indexes: LineIndexes) -> None:
        self._indexes = indexes
        self._searches = threading.BoundedSemaphore(_SEARCHES_AT_ONCE)

    def whole(self, request: Request) -> Response:
        """Answer with the page, at a line if one is asked for, else at the end."""
        services = request.app.state.services
        job_id, attempt, index, read = self._opened(request)
        if index.size and services.logs.entry(job_id, attempt) is None:
            self._indexes.forget(job_id, attempt)
            raise _not_there(job_id, attempt)
        job = find_job(services, job_id)
        first = _first_shown(index, number(request, "line", 0, largest=_LARGEST_NUMBER))
        logs = services.logs.of_package(job.identity) if job else []
        context = {
            "job_id": job_id,
            "attempt": attempt,
            "job": job,
            "index": index,
            "first": first,
            "step": LINES_AT_ONCE,
            "lines": [shown(line) for line in index.lines(read, first, LINES_AT_ONCE)],
            "attempts": _of_job(logs, job_id),
            "others": sorted({it.job_id for it in logs} - {job_id}, reverse=True)[:10],
        }
        return page(request, "log.html", context)

    def lines(self, request: Request) -> Response:
        """Answer with some lines as HTML, and how many there are by now."""
        _, _, index, read = self._opened(request)
        first = number(request, "from", 1, smallest=1, largest=_LARGEST_NUMBER)
        count = number(request, "count", LINES_AT_ONCE, largest=LINES_AT_ONCE)
        found = index.lines(read, first, count) if count else []
        environment = request.app.state.templates.env
        html = environment.get_template("parts/lines.html").render(
            lines=[shown(line) for line in found]
        )
        data = {"first": first, "count": len(found), "html": html, **_standing(index)}
        return json_answer(request, data)

    def search(self, request: Request) -> Response:
        """Answer with lines that hold a text."""
        _, _, index, read = self._opened(request)
        wanted = text(request, "q")
        if not wanted:
            raise bad_request("there is nothing to search for", hint="Say it as ?q=TEXT.")
        first = number(request, "from", 1, smallest=1, largest=_LARGEST_NUMBER)
        if not self._searches.acquire(timeout=_PATIENCE):
            raise AnswerError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "others are searching logs just now",
                hint="Try again in a moment.",
                headers={"Retry-After": "2"},
            )
        try:
            found, next_line = index.search(read, wanted, first, limit=_MATCHES)
        finally:
            self._searches.release()
        return json_answer(request, {"matches": found, "next": next_line, **_standing(index)})

    def _opened(self, request: Request) -> tuple[int, int, LineIndex, Read]:
        """Return which log is meant, and where its lines are by now. Raises AnswerError."""
        job_id, attempt = number_in_path(request, "job"), number_in_path(request, "attempt")
        services = request.app.state.services
        logs = services.logs
        index = self._indexes.of(job_id, attempt)

        def read(offset: int, limit: int) -> Any:  # noqa: ANN401 - a LogChunk
            return logs.read(job_id, attempt, offset, limit=limit)

        index.extend(read)
        is_there = index.size or index.ended or logs.entry(job_id, attempt) is not None
        if not (is_there or _may_begin(services, job_id, attempt)):
            raise _not_there(job_id, attempt)
        return job_id, attempt, index, read


def _not_there(job_id: int, attempt: int) -> AnswerError:
    return not_found(
        f"there is no log of job {job_id}, attempt {attempt}",
        hint="Logs are kept for a limited time.",
    )


def _may_begin(services: WebServices, job_id: int, attempt: int) -> bool:
    """Tell whether that is the next attempt at a job, of which there will be a log."""
    job = services.queue.job(job_id)
    states = {JobState.WAITING, JobState.READY, JobState.BUILDING}
    return job is not None and job.state in states and attempt == max(1, job.attempt)


def shown(line: LogLine) -> dict[str, Any]:
    """Return a line as templates take it."""
    return {"number": line.number, "html": to_html(line.text), "left_out": line.left_out}


def _standing(index: LineIndex) -> dict[str, Any]:
    return {"total": index.total, "size": index.size, "ended": index.ended}


def _first_shown(index: LineIndex, line: int) -> int:
    """Return the first line of the part that has `line`, or of the end."""
    last = min(line or index.total, index.total) or 1
    return (last - 1) // LINES_AT_ONCE * LINES_AT_ONCE + 1


def _of_job(logs: Iterable[PastLog], job_id: int) -> list[PastLog]:
    return [log for log in logs if log.job_id == job_id]
