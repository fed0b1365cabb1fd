"""What a request to build has to look like, in our form and in that of the existing manager."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from caur_ci.errors import InputError
from caur_ci.request import SCHEMA_VERSION, BuildRequest, request_schema
from scheduler.job import OnRunning, jobs_of
from scheduler.legacy_queue import name_of_legacy_job, read_legacy_job
from scheduler.queue import Refusal
from scheduler.schemas import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.job import JobSpec

_ORIGIN = "the request"
# Said by us: packages are removed where their folders are.
_NOT_ASKED_FOR = frozenset({"version", "created", "remove"})
_OF_EACH_PACKAGE = ("pkgbase", "build_class", "pkgnames", "dependencies")
_SHARED = ("arch", "source_repo", "target_repo", "commit", "arch_mirror")
_REASON = "asked for through the web server"


def build_schema(place: str) -> dict[str, Any]:
    """Return the JSON Schema of what `read_request` reads, for use at `place` of a document."""
    schema = request_schema()
    properties = schema["properties"]
    return _moved(
        {
            "type": "object",
            "required": ["source_repo", "target_repo", "commit", "packages"],
            "additionalProperties": False,
            "properties": {
                name: each for name, each in properties.items() if name not in _NOT_ASKED_FOR
            },
            "$defs": schema["$defs"],
        },
        place,
    )


def legacy_schema(place: str) -> dict[str, Any]:
    """Return the JSON Schema of what `read_legacy_request` reads, for use at `place`."""
    schema = schema_of("legacy-job")
    properties = schema["properties"]
    package = {
        "type": "object",
        "required": ["pkgbase"],
        "properties": {name: properties[name] for name in _OF_EACH_PACKAGE},
    }
    return _moved(
        {
            "type": "object",
            "required": ["arch", "source_repo", "target_repo", "commit", "packages"],
            "properties": {
                **{name: properties[name] for name in _SHARED},
                "packages": {"type": "array", "minItems": 1, "items": package},
            },
            "$defs": schema["$defs"],
        },
        place,
    )


def read_request(data: Mapping[str, Any]) -> BuildRequest:
    """Return the request that JSON holds; without an id it gets a new one. Raises InputError."""
    for name in _NOT_ASKED_FOR & data.keys():
        raise InputError(f"{_ORIGIN}: {name} is not for this")
    document = {
        "request_id": secrets.token_hex(16),
        **data,
        "version": SCHEMA_VERSION,
        "created": datetime.fromtimestamp(time.time(), tz=UTC).isoformat(timespec="seconds"),
    }
    return BuildRequest.from_json(json.dumps(document), origin=_ORIGIN)


def jobs_and_policy(request: BuildRequest) -> tuple[list[JobSpec], OnRunning]:
    """Return what is to be built, and what becomes of running builds."""
    return jobs_of(request), OnRunning(request.on_running)


def read_legacy_request(data: Mapping[str, Any]) -> tuple[list[JobSpec], list[Refusal]]:
    """Return the jobs of a request of the existing manager, and what of it is refused.

    Raises InputError for what is none.
    """
    packages = data.get("packages")
    if not isinstance(packages, list) or not packages:
        raise InputError(f"{_ORIGIN}: packages is not a list of packages")
    shared = {name: data[name] for name in _SHARED if name in data}
    jobs: list[JobSpec] = []
    refused: list[Refusal] = []
    for number, package in enumerate(packages):
        job = {**package, **shared} if isinstance(package, dict) else package
        try:
            jobs.append(read_legacy_job(job, f"$.packages[{number}]", reason=_REASON))
        except InputError as error:
            refused.append(Refusal(identity=name_of_legacy_job(job), reason=error.message))
    return jobs, refused


def _moved(schema: dict[str, Any], place: str) -> dict[str, Any]:
    """Return a schema whose references are to its own definitions at `place`."""
    text = json.dumps(schema).replace('"#/$defs/', f'"{place}/$defs/')
    moved: dict[str, Any] = json.loads(text)
    return moved
