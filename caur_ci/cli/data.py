"""What the commands know, in the form for other programs."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any


def as_data(value: Any) -> Any:  # noqa: ANN401 - any value there and back
    """Return `value` as what JSON has; outcomes and their like by name."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, dict):
        return {key: as_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(inner) for inner in value]
    return value


def to_json(value: object) -> str:
    """Return `value` as a JSON document."""
    return json.dumps(as_data(value), indent=2, ensure_ascii=False)
