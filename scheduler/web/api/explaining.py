"""Why a build failed, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from scheduler.diagnosis import Explanation
from scheduler.web.answers import json_answer, not_found
from scheduler.web.api.operations import Operation
from scheduler.web.pages.jobs import find_job
from scheduler.web.parameters import job_of, services_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.web.pages.explained import Explained


def failure(request: Request) -> Response:
    """Answer with why a job failed."""
    services, job_id = services_of(request), job_of(request)
    job = find_job(services, job_id)
    if job is None:
        raise not_found(f"no job {job_id} is known", hint="It may have ended long ago.")
    explanation = cast("Explained", request.app.state.explained).of(services, job)
    if explanation is None:
        raise not_found(f"job {job_id} has not failed", hint=f"See /api/v1/jobs/{job_id}.")
    return json_answer(request, explanation)


OPERATIONS = (
    Operation(
        path="/api/v1/jobs/{job}/failure",
        name="job-failure",
        summary="Why a job failed: the first error in its log, what is different from the last "
        "good build, and a command that builds the same.",
        handler=failure,
        answer=Explanation,
        problems=(404,),
    ),
)
