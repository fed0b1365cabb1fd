"""What the forges publish of their APIs, to hold calls to it.

CAUR_FORGE_SCHEMAS names a folder with `openapi-gitlab.yaml` and `openapi-github.json`.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.forges.model import Call

FOLDER = os.environ.get("CAUR_FORGE_SCHEMAS", "")


def published(kind: str) -> dict[str, Any]:
    """Return the document of GitLab or GitHub."""
    folder = Path(FOLDER)
    if kind == "github":
        text = (folder / "openapi-github.json").read_text(encoding="utf-8")
        data: dict[str, Any] = json.loads(text)
        return data
    found: dict[str, Any] = YAML(typ="safe").load(folder / "openapi-gitlab.yaml")
    return found


def operation_of(document: dict[str, Any], call: Call) -> dict[str, Any] | None:
    """Return what the document says of a call, None where it says nothing."""
    path = call.path.removeprefix("/api/v3")
    for template, methods in document["paths"].items():
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and call.method.lower() in methods:
            found: dict[str, Any] = methods[call.method.lower()]
            return found
    return None


def check(document: dict[str, Any], operation: dict[str, Any], call: Call) -> None:
    """Fail where a call is not what the document says of its operation."""
    known = {it["name"]: it["schema"] for it in _parameters(document, operation)}
    for name, value in call.query.items():
        allowed = _resolved(document, known[name]).get("enum")
        assert allowed is None or value in allowed, f"{call.what}: {name}={value}"
    if call.body is not None:
        content = _resolved(document, operation["requestBody"])["content"]
        schema = {**content["application/json"]["schema"], "components": document["components"]}
        errors = Draft202012Validator(schema).iter_errors(call.body)
        assert [error.message for error in errors] == [], call.what


def _parameters(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for parameter in operation.get("parameters", ()):
        found = _resolved(document, parameter)
        if found["in"] == "query":
            yield found


def _resolved(document: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in data:
        return data
    found: dict[str, Any] = document
    for part in data["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found
