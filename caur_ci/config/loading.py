"""Turns the assignments of a file into one typed object, and that object's keys into a schema."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
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


class Flaw(Enum):
    """What is wrong with a line of the file; all but a bad value are let pass."""

    STRAY = "stray"
    UNKNOWN = "unknown"
    MISPLACED = "misplaced"
    IGNORED = "ignored"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong with one line, in words that follow the key where there is one."""

    flaw: Flaw
    line: int
    key: str
    text: str


def look(
    config: type[Any], file: KeyValueFile, elsewhere: type[Any]
) -> tuple[dict[str, Any], list[LineProblem]]:
    """Return the values of the fields of `config`, and what is wrong with the file.

    `elsewhere` declares the keys of the other file, to tell a key in the wrong place. An empty
    value counts as not set.
    """
    known = keys_of(config)
    values: dict[str, Any] = {}
    problems = [
        LineProblem(Flaw.STRAY, line, "", "neither KEY=VALUE nor a comment, ignored")
        for line in file.stray_lines()
    ]
    for found in file.assignments().values():
        if found.key not in known:
            flaw = Flaw.MISPLACED if found.key in keys_of(elsewhere) else Flaw.UNKNOWN
            text = _unknown(found.key, known, elsewhere)
            problems.append(LineProblem(flaw, found.line, found.key, text))
        elif found.value:
            field, declared = known[found.key]
            try:
                values[field] = declared.kind.parse(found.value)
            except ValueError as error:
                flaw = Flaw.IGNORED if declared.lenient else Flaw.BAD
                text = f"={found.value!r} does not fit; allowed is {error}"
                problems.append(LineProblem(flaw, found.line, found.key, text))
    return values, problems


def load(config: type[C], data: bytes, *, origin: str, elsewhere: type[Any]) -> Loaded[C]:
    """Read a `config` from the content of the file `origin`; see `look`.

    Raises ConfigError for values that fit no kind, all of them at once.
    """
    file = KeyValueFile.parse(data, origin=origin)
    values, problems = look(config, file, elsewhere)
    bad = [it for it in problems if it.flaw is Flaw.BAD]
    if bad:
        raise ConfigError("\n".join(_sentence(origin, it) for it in bad))
    return Loaded(config(**values), file, tuple(_sentence(origin, it) for it in problems))


def _sentence(origin: str, problem: LineProblem) -> str:
    key = f"{problem.key}{'' if problem.text.startswith('=') else ' '}" if problem.key else ""
    ignored = ". It is ignored" if problem.flaw is Flaw.IGNORED else ""
    return f"{origin}:{problem.line}: {key}{problem.text}{ignored}"


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
