"""What requests to the forges' APIs may look like, as far as they are sent here.

For each operation: the query parameters that it knows, and the fields of its body with their types.
Those with a `!` are required. The forges publish the same at greater length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from tests.support.forges.model import Call

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_TEXTS = {"type": "array", "items": _TEXT}
_NUMBERS = {"type": "array", "items": {"type": "integer"}}


def _one_of(*values: str) -> dict[str, Any]:
    return {"enum": list(values)}


@dataclass(frozen=True)
class Shape:
    """One operation. `path` is a regular expression; `body` None: there must be none."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, dict[str, Any]] | None = None
    # A plain array in place of an object.
    items: dict[str, Any] | None = None

    @cached_property
    def _validator(self) -> Draft202012Validator:
        if self.items is not None:
            return Draft202012Validator({"type": "array", "items": self.items, "minItems": 1})
        fields = self.body or {}
        return Draft202012Validator(
            {
                "type": "object",
                "properties": {name.rstrip("!"): kind for name, kind in fields.items()},
                "required": [name.rstrip("!") for name in fields if name.endswith("!")],
                "additionalProperties": False,
            }
        )

    def complaints(self, call: Call) -> list[str]:
        """Return what is wrong with a call of this operation."""
        wrong = [
            f"{call.what}: {name}={value}"
            for name, value in call.query.items()
            if not re.fullmatch(self.query.get(name, r"(?!)"), value)
        ]
        if self.body is None and self.items is None:
            return wrong + ([f"{call.what}: a body"] if call.body else [])
        return wrong + [
            f"{call.what}: {error.message}" for error in self._validator.iter_errors(call.body)
        ]


_PAGE = {"page": r"[1-9]\d*", "per_page": r"[1-9]\d?|100"}
_LAB = r"/api/v4/projects/(?:\d+|[^/]+%2F[^/]+)"
_LAB_CHANGE: dict[str, dict[str, Any]] = {
    "title": _TEXT,
    "description": {"type": "string", "maxLength": 1_048_576},
    "target_branch": _TEXT,
    "state_event": _one_of("close", "reopen"),
    "labels": _TEXTS,
    "add_labels": _TEXTS,
    "remove_labels": _TEXTS,
    "assignee_ids": _NUMBERS,
    "reviewer_ids": _NUMBERS,
    "remove_source_branch": _FLAG,
    "squash": _FLAG,
}
GITLAB = (
    Shape(
        "GET",
        f"{_LAB}/merge_requests",
        {
            **_PAGE,
            "state": "opened|closed|locked|merged|all",
            "source_branch": ".+",
            "target_branch": ".+",
        },
    ),
    Shape(
        "POST",
        f"{_LAB}/merge_requests",
        body={
            "title!": _TEXT,
            "source_branch!": _TEXT,
            "target_branch!": _TEXT,
            "description": {"type": "string", "maxLength": 1_048_576},
            "assignee_ids": _NUMBERS,
            "reviewer_ids": _NUMBERS,
            "labels": _TEXTS,
            "remove_source_branch": _FLAG,
            "squash": _FLAG,
        },
    ),
    Shape("PUT", rf"{_LAB}/merge_requests/\d+", body=_LAB_CHANGE),
    Shape("GET", rf"{_LAB}/merge_requests/\d+/resource_label_events", _PAGE),
    Shape("GET", rf"{_LAB}/merge_requests/\d+/versions", _PAGE),
    Shape(
        "POST",
        rf"{_LAB}/(?:merge_requests|issues)/\d+/notes",
        body={"body!": {"type": "string", "maxLength": 1_000_000}, "internal": _FLAG},
    ),
    Shape(
        "GET",
        f"{_LAB}/events",
        {**_PAGE, "action": "commented", "after": r"\d{4}-\d\d-\d\d", "sort": "asc|desc"},
    ),
    Shape("GET", f"{_LAB}/labels", _PAGE),
    Shape(
        "POST",
        f"{_LAB}/labels",
        body={
            "name!": _TEXT,
            "color!": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
            "description": _TEXT,
        },
    ),
    Shape("GET", rf"{_LAB}/members/all/\d+"),
    Shape("GET", f"{_LAB}/protected_branches", _PAGE),
    Shape("GET", "/api/v4/users", {**_PAGE, "username": r"[\w.-]+"}),
    Shape("GET", r"/api/v4/users/\d+"),
    Shape("GET", "/api/v4/user"),
)
_HUB = r"(?:/api/v3)?/repos/[\w.-]+/[\w.-]+"
GITHUB = (
    Shape(
        "GET",
        f"{_HUB}/pulls",
        {**_PAGE, "state": "open|closed|all", "head": r"[\w.-]+:.+", "base": ".+"},
    ),
    Shape(
        "POST",
        f"{_HUB}/pulls",
        body={
            "title": _TEXT,
            "head!": _TEXT,
            "base!": _TEXT,
            "body": {"type": "string", "maxLength": 65_536},
            "draft": _FLAG,
            "maintainer_can_modify": _FLAG,
        },
    ),
    Shape(
        "PATCH",
        rf"{_HUB}/pulls/\d+",
        body={
            "title": _TEXT,
            "body": {"type": "string", "maxLength": 65_536},
            "state": _one_of("open", "closed"),
            "base": _TEXT,
        },
    ),
    Shape(
        "POST",
        rf"{_HUB}/pulls/\d+/requested_reviewers",
        body={"reviewers": _TEXTS, "team_reviewers": _TEXTS},
    ),
    Shape("POST", rf"{_HUB}/issues/\d+/labels", items=_TEXT),
    Shape("DELETE", rf"{_HUB}/issues/\d+/labels/[^/]+"),
    Shape("POST", rf"{_HUB}/issues/\d+/assignees", body={"assignees": _TEXTS}),
    Shape(
        "POST",
        rf"{_HUB}/issues/\d+/comments",
        body={"body!": {"type": "string", "maxLength": 65_536}},
    ),
    Shape(
        "GET",
        f"{_HUB}/issues/comments",
        {
            **_PAGE,
            "sort": "created|updated",
            "direction": "asc|desc",
            "since": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        },
    ),
    Shape("GET", "(?:/api/v3)?/user"),
    Shape("GET", rf"{_HUB}/issues/\d+/events", _PAGE),
    Shape("GET", f"{_HUB}/labels", _PAGE),
    Shape(
        "POST",
        f"{_HUB}/labels",
        body={
            "name!": _TEXT,
            "color": {"type": "string", "pattern": "^[0-9a-f]{6}$"},
            "description": {"type": "string", "maxLength": 100},
        },
    ),
    Shape("GET", rf"{_HUB}/collaborators/[^/]+/permission"),
)


def complaints(shapes: tuple[Shape, ...], call: Call) -> list[str]:
    """Return what is wrong with a call, for an API that has these operations."""
    for shape in shapes:
        if shape.method == call.method and re.fullmatch(shape.path, call.path):
            return shape.complaints(call)
    return [f"{call.what}: there is no such operation"]
