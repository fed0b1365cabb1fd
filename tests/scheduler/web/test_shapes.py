"""What is sent is what the schema made of the same fields says."""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from scheduler.history import PublishedFile, Usage
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.queue import Blocker, Explanation, JobView
from scheduler.web.shapes import Schemas, as_data
from tests.support.past import past_job

if TYPE_CHECKING:
    from scheduler.history import PastJob

VIEW = JobView(
    job_id=1,
    identity="repo/x86_64/a",
    state=JobState.DONE,
    build_class="1",
    outcome=Outcome.FAILED,
    failure=FailureClass.DISK_FULL,
    held_by=("repo/x86_64/b",),
)
FILE = PublishedFile(name="a", version="1-1", filename="a.pkg.tar.zst", size=1)


@pytest.mark.parametrize(
    "value",
    [
        past_job(1),
        past_job(2, files=(FILE,), usage=Usage(peak_memory=5), outcome=Outcome.SKIPPED, started=0),
        VIEW,
        Explanation(
            identity="repo/x86_64/a", blockers=(Blocker(job=VIEW, waiter=2),), reasons=("why",)
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_fit_their_schema(value: PastJob | JobView | Explanation) -> None:
    schemas = Schemas("#/$defs")
    schema = {**schemas.of(type(value)), "$defs": schemas.named}
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    data = as_data(value)

    validator.validate(data)
    for name in list(data):
        with pytest.raises(ValidationError):
            validator.validate({key: inner for key, inner in data.items() if key != name})


def test_enumerations_go_by_name_or_value() -> None:
    data: dict[str, Any] = as_data(VIEW)

    assert (data["outcome"], data["failure"], data["state"]) == ("FAILED", "disk full", "done")
    assert data["held_by"] == ["repo/x86_64/b"]


def test_two_types_of_one_name_are_told_apart() -> None:
    other = make_dataclass("Blocker", [("number", int)])
    other.__module__ = "scheduler.web.shapes"
    schemas = Schemas("#/$defs")

    assert schemas.of(Blocker) == {"$ref": "#/$defs/Blocker"}
    assert schemas.of(other) == {"$ref": "#/$defs/WebBlocker"}
    assert set(schemas.named["WebBlocker"]["properties"]) == {"number"}
