"""The shapes that calls are checked by, against what the forges publish themselves.

CAUR_FORGE_SCHEMAS names a folder with `openapi-gitlab.yaml` and `openapi-github.json`.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from caur_ci.review.desk import ReviewDesk
from caur_ci.review.request import ReviewRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.caur_ci.review.forges import ForgeUnderTest
    from tests.support.forges.model import Call

FOLDER = os.environ.get("CAUR_FORGE_SCHEMAS", "")
# What the published parts do not cover; documented elsewhere.
ELSEWHERE = re.compile(
    r"/(?:labels$|members|protected|users|notes|versions|resource_|events|comments|collaborators"
    r"|requested_reviewers|labels/)"
)

pytestmark = pytest.mark.skipif(not FOLDER, reason="CAUR_FORGE_SCHEMAS is not set")


@pytest.fixture
def document(there: ForgeUnderTest) -> dict[str, Any]:
    folder = Path(FOLDER)
    if there.kind == "github":
        text = (folder / "openapi-github.json").read_text(encoding="utf-8")
        data: dict[str, Any] = json.loads(text)
    else:
        data = YAML(typ="safe").load(folder / "openapi-gitlab.yaml")
    return data


def test_every_call_is_as_published(there: ForgeUnderTest, document: dict[str, Any]) -> None:
    for call in _all_kinds_of_calls(there):
        operation = _operation(document, call)
        if operation is None:
            assert ELSEWHERE.search(call.path), call.what
            continue
        _check_query(document, operation, call)
        if call.body is not None:
            content = _resolved(document, operation["requestBody"])["content"]
            schema = {**content["application/json"]["schema"], "components": document["components"]}
            errors = Draft202012Validator(schema).iter_errors(call.body)
            assert [error.message for error in errors] == [], call.what


def _all_kinds_of_calls(there: ForgeUnderTest) -> list[Call]:
    for name in ("bob", "carol"):
        there.forge.person(name)
    there.forge.protected = {"main": [{"access_level": 40}]}
    for commit in ("a" * 40, "b" * 40, ""):
        there.forge.branches = {"main": "0" * 40, **({"update-a": commit} if commit else {})}
        there.forge.sync()
        desk = ReviewDesk(there.new_client(), "main")
        desk.hear({"update-a": commit} if commit else {})
        wanted = ReviewRequest(
            package="a",
            branch="update-a",
            target="main",
            commit=commit,
            assignees=("bob",),
            reviewers=("carol",),
        )
        there.forge.closes_without_branch = False
        done = desk.follow_up(
            [wanted] if commit else [], branches=["update-a"] if commit else [], rejected={}
        )
        assert done.problems == []
        if there.forge.open():
            there.forge.say(1, "approved", "bob")
    assert there.forge.open() == []
    return there.forge.calls


def _operation(document: dict[str, Any], call: Call) -> dict[str, Any] | None:
    path = call.path.removeprefix("/api/v3")
    for template, methods in document["paths"].items():
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and call.method.lower() in methods:
            found: dict[str, Any] = methods[call.method.lower()]
            return found
    return None


def _check_query(document: dict[str, Any], operation: dict[str, Any], call: Call) -> None:
    known = {it["name"]: it["schema"] for it in _parameters(document, operation)}
    for name, value in call.query.items():
        allowed = _resolved(document, known[name]).get("enum")
        assert allowed is None or value in allowed, f"{call.what}: {name}={value}"


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
