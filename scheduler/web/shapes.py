"""Values as JSON, and what that JSON looks like: both from the fields of dataclasses."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum, IntEnum
from functools import cache
from typing import Any

from scheduler import history, job, queue
from scheduler.history import PastJob

# What is told besides fields.
_DERIVED: dict[type, tuple[str, ...]] = {PastJob: ("identity", "build_seconds")}
# The names that annotations use for the sake of types only: all that those parts offer.
_NAMES = {**vars(job), **vars(queue), **vars(history), "Mapping": Mapping}
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    types.NoneType: {"type": "null"},
}


def as_data(value: Any) -> Any:  # noqa: ANN401 - any value there and back
    """Return `value` as what JSON has; outcomes by name."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: as_data(getattr(value, name)) for name in _told(type(value))}
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): as_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(inner) for inner in value]
    return value


class Schemas:
    """The JSON Schemas of the types that were asked for, and of those in them, by name."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._kinds: dict[str, type] = {}
        self.named: dict[str, dict[str, Any]] = {}

    def of(self, kind: Any) -> dict[str, Any]:  # noqa: ANN401 - any annotation
        """Return the schema of what `as_data` makes of a value of that type."""
        if kind in _PLAIN:
            return _PLAIN[kind]
        if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
            return {"anyOf": [self.of(each) for each in typing.get_args(kind)]}
        match typing.get_origin(kind):
            case None:
                return self._named(kind)
            case origin if issubclass(origin, Mapping):
                return {"type": "object", "additionalProperties": self.of(typing.get_args(kind)[1])}
            case _:
                return {"type": "array", "items": self.of(typing.get_args(kind)[0])}

    def _named(self, kind: type) -> dict[str, Any]:
        name = kind.__name__
        if self._kinds.setdefault(name, kind) is not kind:
            # Another part has the same word for something of its own.
            name = f"{kind.__module__.split('.')[1].title()}{name}"
        if name not in self.named:
            self.named[name] = {}  # it may be in itself
            self.named[name] = self._described(kind)
        return {"$ref": f"{self._place}/{name}"}

    def _described(self, kind: type) -> dict[str, Any]:
        description = " ".join((kind.__doc__ or "").split())
        if issubclass(kind, Enum):
            by_name = issubclass(kind, IntEnum)
            values = [each.name if by_name else each.value for each in kind]
            return {"description": description, "type": "string", "enum": values}
        properties = {name: self.of(told) for name, told in _types(kind).items()}
        return {
            "description": description,
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }


@cache
def _told(kind: type) -> tuple[str, ...]:
    return (*(field.name for field in fields(kind)), *_DERIVED.get(kind, ()))


def _types(kind: type) -> dict[str, Any]:
    names = {**_NAMES, **vars(sys.modules[kind.__module__])}
    hints = typing.get_type_hints(kind, localns=names)
    for name in _DERIVED.get(kind, ()):
        hints[name] = typing.get_type_hints(getattr(kind, name).fget, localns=names)["return"]
    return {name: hints[name] for name in _told(kind)}
