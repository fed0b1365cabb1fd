"""The page of a build: how it went, what it made, why it failed."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

from scheduler.web.answers import not_found
from scheduler.web.pages.ansi import plain
from scheduler.web.pages.explained import Explained
from scheduler.web.pages.jobs import find_job
from scheduler.web.pages.parameters import number_in_path
from scheduler.web.pages.reach import unless_out_of_reach
from scheduler.web.pages.rendering import page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.history import PastLog
    from scheduler.logs import LogChunk
    from scheduler.web.pages.jobs import ShownJob
    from scheduler.web.pages.log_lines import Heading, LineIndexes
    from scheduler.web.services import WebServices

_INTERFERE = "caur-ci: interfere: "
_FINDINGS = "caur-ci: namcap "
_SHOWN_FINDINGS = 40
_NOTHING_TOLD: dict[str, Any] = {"steps": [], "interfered": None, "findings": None, "found": []}


class BuildPage:
    """The page; what the build did comes out of its log."""

    def __init__(self, indexes: LineIndexes) -> None:
        self._indexes = indexes
        self._explained = Explained()

    def whole(self, request: Request) -> Response:
        """Answer with the page."""
        services: WebServices = request.app.state.services
        job_id = number_in_path(request, "job")
        job = find_job(services, job_id)
        if job is None:
            raise not_found(
                f"nothing is known of build {job_id}",
                hint="What ended long ago is forgotten where no history is kept.",
            )
        known = unless_out_of_reach(lambda: services.logs.of_package(job.identity), ())
        logs = [log for log in known if log.job_id == job_id]
        context = {
            "job": job,
            "logs": logs,
            "spans": list(_spans(job)),
            "explained": unless_out_of_reach(lambda: self._explained.of(services, job), None),
            "forecast": _forecast(services, job),
            **unless_out_of_reach(
                lambda: self._told_by(services, logs[-1] if logs else None), _NOTHING_TOLD
            ),
        }
        return page(request, "build.html", context)

    def _told_by(self, services: WebServices, log: PastLog | None) -> dict[str, Any]:
        """Return what a log tells: the steps, what was applied, and what namcap found."""
        if log is None:
            return _NOTHING_TOLD
        index = self._indexes.of(log.job_id, log.attempt)

        def read(offset: int, limit: int) -> LogChunk:
            return services.logs.read(log.job_id, log.attempt, offset, limit=limit)

        index.extend(read)
        steps = list(index.headings)
        findings = _said(steps, _FINDINGS)
        report = index.lines(read, findings.line + 1, _SHOWN_FINDINGS) if findings else []
        texts = (plain(line.text) for line in report)
        return {
            "steps": steps,
            "interfered": _said(steps, _INTERFERE),
            "findings": findings,
            "found": list(takewhile(lambda text: not text.startswith("==>"), texts)),
        }


def _said(steps: list[Heading], start: str) -> Heading | None:
    """Return the last heading that begins so."""
    return next((it for it in reversed(steps) if it.text.startswith(start)), None)


def _spans(job: ShownJob) -> Iterator[tuple[str, float, float]]:
    """Yield what the job went through, with the Unix times of its begin and end, 0 for now."""
    times = (
        ("waited", job.submitted, job.started or job.finished),
        ("built", job.started, job.landed or job.finished),
        ("published", job.landed, job.finished),
    )
    for name, begin, end in times:
        if begin:
            yield name, begin, end
        if not end:
            return


def _forecast(services: WebServices, job: ShownJob) -> float | None:
    return services.history.forecast(job.identity) if services.history is not None else None
