"""Why a build failed, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from scheduler.job import FailureClass, Outcome
from scheduler.web.api.document import description
from tests.scheduler.web.support import built_log
from tests.support.past import past_job

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from scheduler.history import History
    from scheduler.logs import LogStore
    from scheduler.queue import Queue

LOG = b"==> Starting build()...\r\ntool.c:3:1: error: expected ';'\r\n==> ERROR: A failure\r\n"


def test_a_failure(
    client_of_past: TestClient, queue: Queue, log_store: LogStore, history: History
) -> None:
    claim = built_log(queue, log_store, LOG)
    queue.finish(claim, Outcome.FAILED, "exit code 4", failure=FailureClass.COMPILE)
    failed = past_job(claim.job_id, outcome=Outcome.FAILED, failure=FailureClass.COMPILE)
    history.record([failed])

    answer = client_of_past.get(f"/api/v1/jobs/{claim.job_id}/failure").json()

    assert answer["failure"] == "compile"
    assert answer["error"]["line"]["text"] == "tool.c:3:1: error: expected ';'"
    assert answer["error"]["line"]["number"] == 2
    assert answer["error"]["line"]["offset"] == LOG.index(b"tool.c")
    document = description()
    schema = document["paths"]["/api/v1/jobs/{job}/failure"]["get"]["responses"]["200"]
    reference = schema["content"]["application/json"]["schema"]
    Draft202012Validator({**reference, "components": document["components"]}).validate(answer)


def test_what_has_not_failed(client: TestClient, queue: Queue, log_store: LogStore) -> None:
    claim = built_log(queue, log_store, LOG)

    answer = client.get(f"/api/v1/jobs/{claim.job_id}/failure")

    assert answer.status_code == 404
    assert answer.json()["error"] == f"job {claim.job_id} has not failed"
    assert client.get("/api/v1/jobs/99/failure").json()["error"] == "no job 99 is known"
