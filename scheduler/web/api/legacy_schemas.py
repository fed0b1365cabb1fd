"""What the answers of the existing manager look like."""

from __future__ import annotations

from typing import Any


def _counted(items: str, **fields: dict[str, Any]) -> dict[str, Any]:
    entry = {"type": "object", "required": list(fields), "properties": fields}
    return {
        "type": "object",
        "required": ["count", items],
        "properties": {
            "count": {"type": "integer"},
            items: {"type": "array", "items": entry},
        },
    }


_TEXT: dict[str, Any] = {"type": "string"}
_BUILD_CLASS: dict[str, Any] = {"type": ["integer", "string"]}
_COUNTS = {
    "type": "object",
    "required": ["completed", "failed"],
    "properties": {"completed": {"type": "integer"}, "failed": {"type": "integer"}},
}
STATS_SCHEMA = {
    "type": "object",
    "required": ["active", "waiting", "idle"],
    "properties": {
        "active": _counted(
            "packages", name=_TEXT, node=_TEXT, build_class=_BUILD_CLASS, liveLog=_TEXT
        ),
        "waiting": _counted("packages", name=_TEXT, build_class=_BUILD_CLASS),
        "idle": _counted("nodes", name=_TEXT, build_class=_BUILD_CLASS),
    },
}
METRICS_SCHEMA = {
    "type": "object",
    "required": ["builder_queue", "database_queue"],
    "properties": {"builder_queue": _COUNTS, "database_queue": _COUNTS},
}
PACKAGES_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["arch", "build_class", "srcrepo", "timestamp"],
            "properties": {
                "arch": _TEXT,
                "build_class": _BUILD_CLASS,
                "srcrepo": _TEXT,
                "timestamp": {"type": "integer"},
            },
        },
    },
}
