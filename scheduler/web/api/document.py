"""The OpenAPI description of the API, made from the operations themselves."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from caur_ci import __version__
from scheduler.web.answers import json_answer
from scheduler.web.api import changing, explaining, happening, legacy, logs, reading
from scheduler.web.api.model import Health, Problem
from scheduler.web.api.operations import PATH_PARAMETERS, Operation, Text
from scheduler.web.parameters import settings_of
from scheduler.web.shapes import Schemas

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.web.api.operations import Parameter

OPERATIONS: tuple[Operation, ...] = (
    *reading.OPERATIONS,
    *explaining.OPERATIONS,
    *logs.OPERATIONS,
    *happening.OPERATIONS,
    *changing.OPERATIONS,
    *legacy.OPERATIONS,
)
_ALWAYS = (HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)
_IN_PATH = re.compile(r"\{([a-z_]+)\}")


def openapi(request: Request) -> Response:
    """Answer with the description of the API."""
    base_path = settings_of(request).base_path
    servers = [{"url": base_path or "/"}]
    return json_answer(request, {**description(), "servers": servers})


@cache
def description() -> dict[str, Any]:
    """Return the description, as OpenAPI 3.1."""
    schemas = Schemas("#/components/schemas")
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        path = paths.setdefault(operation.path, {})
        path[operation.method.lower()] = _described(operation, schemas)
    paths["/healthz"] = {"get": _health("healthz", "Whether the server runs.", schemas)}
    paths["/readyz"] = {
        "get": _health("readyz", "Whether all that it needs can be reached.", schemas)
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "caur-ci",
            "version": __version__,
            "summary": "The build queue, its jobs, packages and logs.",
            "description": "Times are Unix times in seconds, by the clock of the Redis server, and "
            "0 for what has not happened; sizes and offsets are in bytes.",
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas.named, **changing.BODIES},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    names = _IN_PATH.findall(operation.path)
    parameters = [*(PATH_PARAMETERS[name] for name in names), *operation.parameters]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [_parameter(each) for each in parameters],
        "responses": {**_good(operation, schemas), **_problems(operation, schemas)},
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": operation.body}},
        }
    if operation.secured:
        described["security"] = [{"token": []}]
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.summary,
        "required": parameter.place == "path",
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        described |= {"style": "form", "explode": False}
    return described


def _good(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    answer = operation.answer
    if isinstance(answer, Text):
        content = {answer.media_type: {"schema": {"type": "string"}}}
        good = {"200": {"description": "All that was asked for.", "content": content}}
        if answer.is_partial:
            good["206"] = {"description": "The range that was asked for.", "content": content}
        return good
    schema = answer if isinstance(answer, dict) else schemas.of(answer)
    content = {operation.media_type: {"schema": schema}}
    return {"200": {"description": "What was asked for.", "content": content}}


def _problems(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    problem = schemas.of(Problem)
    statuses = {*operation.problems, *_ALWAYS}
    answers = dict.fromkeys(statuses, problem)
    if operation.unmet:
        answers[operation.unmet] = {"anyOf": [schemas.of(operation.answer), problem]}
    return {
        str(int(status)): {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        for status, schema in sorted(answers.items())
    }


def _health(name: str, summary: str, schemas: Schemas) -> dict[str, Any]:
    content = {"application/json": {"schema": schemas.of(Health)}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": "Yes.", "content": content},
            "503": {"description": "No.", "content": content},
        },
    }
