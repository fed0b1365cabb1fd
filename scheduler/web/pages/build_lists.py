"""Lists of builds: results, what was published, what fails, those of one package."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.web.pages import words
from scheduler.web.pages.cells import Badge, Link, Moment, Several, Span, Text
from scheduler.web.pages.jobs import ShownJob, from_past, from_view
from scheduler.web.pages.listing import PER_PAGE, Filter, Listing, Row
from scheduler.web.pages.parameters import identity_in_path, number, text
from scheduler.web.pages.paths import build_path, package_path
from scheduler.web.pages.words import FAILURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from scheduler.history import History, PastJob
    from scheduler.web.services import WebServices

_LARGEST = 2**53 - 1
_COLUMNS = ("Package", "Result", "Build", "Took", "Ended", "Why")
_NO_HISTORY = "This server keeps no history: only the latest results are known."
_RECENT = 1000


def results(request: Request) -> Listing:
    """Return how jobs ended, the newest first."""
    services: WebServices = request.app.state.services
    pattern, before = text(request, "q"), _before(request)
    if services.history is not None:
        wanted = pattern if _is_pattern(pattern) or not pattern else f"*{pattern}*"
        jobs = services.history.latest(limit=PER_PAGE + 1, before=before, pattern=wanted)
        return _listing("Results", [from_past(job) for job in jobs], pattern)
    recent = services.queue.snapshot(limit=_RECENT).recent
    shown = [from_view(job) for job in recent if pattern in job.identity.rpartition("/")[2]]
    return replace(_listing("Results", shown[:PER_PAGE], pattern), note=_NO_HISTORY, more={})


def of_package(request: Request) -> Listing:
    """Return the builds of one package, the newest first."""
    identity = identity_in_path(request)
    history: History | None = request.app.state.services.history
    jobs: Sequence[PastJob] = ()
    if history is not None:
        jobs = history.of_package(identity, limit=PER_PAGE + 1, before=_before(request))
    name = identity.rpartition("/")[2]
    found = _listing(f"Builds of {name}", [from_past(job) for job in jobs])
    return found if history is not None else replace(found, note=_NO_HISTORY)


def published(request: Request) -> Listing:
    """Return what was published lately."""
    history: History | None = request.app.state.services.history
    jobs: Sequence[PastJob] = ()
    if history is not None:
        jobs = history.published(limit=PER_PAGE + 1, before=_before(request))
    shown = jobs[:PER_PAGE]
    return Listing(
        title="Published",
        lead="What was brought into the repositories, the newest first.",
        columns=("Package", "Version", "Files", "Published", "Generation", "Build"),
        rows=[_published_row(job) for job in shown],
        empty="Nothing was published yet." if history is not None else _NO_HISTORY,
        now=time.time(),
        more={"before": shown[-1].job_id} if len(jobs) > PER_PAGE else {},
    )


def failing(request: Request) -> Listing:
    """Return the packages whose latest build failed."""
    services: WebServices = request.app.state.services
    jobs = _failing(services)
    first = (number(request, "page", 1, smallest=1, largest=1000) - 1) * PER_PAGE
    shown = jobs[first : first + PER_PAGE]
    return Listing(
        title="Failing",
        lead="Packages whose latest build failed, and when one last went well.",
        columns=("Package", "Result", "Why", "Failed", "Last success"),
        rows=[_failing_row(job, _last_success(services, job)) for job in shown],
        empty="No package fails.",
        now=time.time(),
        total=len(jobs),
        more={"page": first // PER_PAGE + 2} if len(jobs) > first + PER_PAGE else {},
        note="" if services.history is not None else _NO_HISTORY,
    )


def _failing(services: WebServices) -> list[ShownJob]:
    """Return the latest failure of each package that was not built well since."""
    if services.history is not None:
        return [from_past(job) for job in services.history.failing()]
    recent = services.queue.snapshot(limit=_RECENT).recent
    newest = {job.identity: job for job in reversed(recent)}
    return [from_view(job) for job in newest.values() if job.outcome in FAILURES]


def _last_success(services: WebServices, job: ShownJob) -> PastJob | None:
    history = services.history
    return history.last_success(job.identity, before=job.job_id) if history is not None else None


def _listing(title: str, jobs: Sequence[ShownJob], pattern: str | None = None) -> Listing:
    shown = jobs[:PER_PAGE]
    filters = (Filter("q", "Package", pattern or "", "name, or a pattern such as python-*"),)
    return Listing(
        title=title,
        lead="",
        columns=_COLUMNS,
        rows=[_row(job) for job in shown],
        empty="None is known." if pattern is None else "Nothing of the kind has ended.",
        now=time.time(),
        more={"before": shown[-1].job_id} if len(jobs) > PER_PAGE else {},
        filters=filters if pattern is not None else (),
    )


def _row(job: ShownJob) -> Row:
    ended = _ended(job)
    known = job.job_id > 0
    return Row(
        key=f"build/{job.job_id}",
        title=f"{job.identity}: {ended}",
        path=build_path(job.job_id) if known else package_path(job.identity),
        time=job.finished,
        summary=job.reason or ended,
        cells=(
            _package(job.identity),
            Badge(ended, words.tone_of(job.outcome), build_path(job.job_id) if known else ""),
            Link(str(job.job_id), build_path(job.job_id)) if known else Text("not known"),
            Span(job.build_seconds),
            Moment(job.finished),
            Text(job.reason),
        ),
        data=_data(job),
    )


def _failing_row(job: ShownJob, good: PastJob | None) -> Row:
    return Row(
        key=f"build/{job.job_id}",
        title=f"{job.identity}: {_ended(job)}",
        path=build_path(job.job_id),
        time=job.finished,
        summary=job.reason or _ended(job),
        cells=(
            _package(job.identity),
            Badge(_ended(job), "bad", build_path(job.job_id)),
            Text(job.reason),
            Moment(job.finished),
            Moment(good.finished) if good else Text("never, as far as is known"),
        ),
        data={**_data(job), "last_success": good.finished if good else None},
    )


def _published_row(job: PastJob) -> Row:
    versions = sorted({file.version for file in job.files})
    names = ", ".join(file.name for file in job.files[:5])
    more = f" and {len(job.files) - 5} more" if len(job.files) > 5 else ""
    known = job.job_id > 0
    return Row(
        key=f"published/{job.identity}/{job.job_id}",
        title=f"{job.identity} {', '.join(versions)}",
        path=build_path(job.job_id) if known else package_path(job.identity),
        time=job.finished,
        summary=f"{names}{more}",
        cells=(
            _package(job.identity),
            Text(", ".join(versions)),
            Text(f"{names}{more}", words.size(sum(file.size for file in job.files))),
            Moment(job.finished),
            Text(job.generation),
            Link(str(job.job_id), build_path(job.job_id)) if known else Text(""),
        ),
        data={**_data(from_past(job)), "files": job.files, "generation": job.generation},
    )


def _data(job: ShownJob) -> dict[str, object]:
    return {
        "job_id": job.job_id if job.job_id > 0 else None,
        "identity": job.identity,
        "outcome": job.outcome.name if job.outcome is not None else None,
        "failure": job.failure,
        "reason": job.reason,
        "build_class": job.build_class,
        "worker": job.worker,
        "attempt": job.attempt,
        "submitted": job.submitted,
        "started": job.started,
        "landed": job.landed,
        "finished": job.finished,
    }


def _package(identity: str) -> Several:
    place, _, name = identity.rpartition("/")
    return Several((Link(name, package_path(identity)), Text("", place)))


def _ended(job: ShownJob) -> str:
    return words.outcome_words(job.outcome, job.failure) if job.outcome is not None else "done"


def _before(request: Request) -> int | None:
    return number(request, "before", 0, largest=_LARGEST) or None


def _is_pattern(text_: str) -> bool:
    return any(char in text_ for char in "*?[")
