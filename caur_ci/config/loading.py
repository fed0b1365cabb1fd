"""Turns the assignments of a file into one typed object, and that object's keys into a schema."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from caur_ci.errors import ConfigError
from caur_ci.keyvalue import KeyValueFile
from caur_ci.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.config.values import ValueType

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[C]):
    """A configuration, the file it came from, and what somebody should look at."""

    config: C
    file: KeyValueFile
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """What the program knows of one key."""

    name: str
    kind: ValueType[Any]
    summary: str
    lenient: bool


def key(
    name: str,
    kind: ValueType[Any],
    summary: str,
    default: Any = None,  # noqa: ANN401
    *,
    lenient: bool = False,
) -> Any:  # noqa: ANN401
    """Declare a dataclass field that is read from the key `name`.

    A value that does not fit is a mistake, or with `lenient` as good as not set, and a warning.
    """
    declared = Key(name, kind, summary, lenient)
    return dataclasses.field(default=default, metadata={"key": declared})


def keys_of(config: type[Any]) -> Mapping[str, tuple[str, Key]]:
    """Return for each key of `config` the field's name and its declaration."""
    return _keys_of(cast("Any", config))


@cache
def _keys_of(config: Any) -> Mapping[str, tuple[str, Key]]:  # noqa: ANN401 - hashable for mypy
    return {
        field.metadata["key"].name: (field.name, field.metadata["key"])
        for field in dataclasses.fields(config)
    }


def load(config: type[C], data: bytes, *, origin: str, elsewhere: type[Any]) -> Loaded[C]:
    """Read a `config` from the content of the file `origin`.

    `elsewhere` declares the keys of the other file, to tell a key in the wrong place. An empty
    value counts as not set. Raises ConfigError for values that fit no kind, all of them at once.
    """
    file = KeyValueFile.parse(data, origin=origin)
    known = keys_of(config)
    values: dict[str, Any] = {}
    problems: list[str] = []
    warnings = [
        f"{origin}:{line}: neither KEY=VALUE nor a comment, ignored" for line in file.stray_lines()
    ]
    for found in file.assignments().values():
        where = f"{origin}:{found.line}: {found.key}"
        if found.key not in known:
            warnings.append(f"{where} {_unknown(found.key, known, elsewhere)}")
        elif found.value:
            field, declared = known[found.key]
            try:
                values[field] = declared.kind.parse(found.value)
            except ValueError as error:
                problem = f"{where}={found.value!r} does not fit; allowed is {error}"
                if declared.lenient:
                    warnings.append(f"{problem}. It is ignored")
                else:
                    problems.append(problem)
    if problems:
        raise ConfigError("\n".join(problems))
    return Loaded(config(**values), file, tuple(warnings))


def _unknown(name: str, known: Mapping[str, Any], elsewhere: type[Any]) -> str:
    if name in keys_of(elsewhere):
        return f"does nothing here, it belongs in {elsewhere.FILE}"
    return f"is not known and ignored. {suggestion(name, known, 1)}".rstrip()


def schema_of(config: type[Any], *, title: str) -> dict[str, Any]:
    """Return the JSON Schema of the file, with every value as the text that stands in it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": config.__doc__,
        "type": "object",
        "additionalProperties": {"type": "string"},
        "properties": dict(_properties(config)),
    }


def _properties(config: type[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, (_, declared) in keys_of(config).items():
        yield (
            name,
            {
                "description": f"{declared.summary} Allowed: {declared.kind.allowed}.",
                "type": "string",
                "pattern": f"^(?:{declared.kind.pattern})?$",
            },
        )
