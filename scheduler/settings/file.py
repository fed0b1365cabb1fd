"""The TOML file: the same settings as the variables, under keys that are easier to read."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.errors import ConfigError
from caur_ci.names import suggestion
from scheduler.schemas import problem_of
from scheduler.settings.kinds import Json
from scheduler.settings.variables import BY_KEY, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CONFIG_VARIABLE = "CAUR_CONFIG"
SCHEMA = "settings"


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a file holds, as the variables would."""

    path: Path
    texts: Mapping[str, str]


def read_settings_file(path: Path) -> SettingsFile:
    """Read a TOML file. Raises ConfigError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # TOML and UTF-8
        raise ConfigError(f"{path} is no TOML file: {error}") from error
    _refuse_unknown(path, data)
    problem = problem_of(SCHEMA, data)
    if problem:
        raise ConfigError(f"{path}: {problem.removeprefix('$.')}")
    return SettingsFile(path, dict(_texts(data)))


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    schema = _table()
    for variable in VARIABLES:
        *tables, last = variable.key.split(".")
        place = schema
        for table in tables:
            place = place["properties"].setdefault(table, _table())
        described = {"description": f"{variable.summary} Variable {variable.name}."}
        place["properties"][last] = {**variable.kind.schema(), **described}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of caur-ci workers and database runners (TOML)",
        **schema,
    }


def _table() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _refuse_unknown(path: Path, data: Mapping[str, Any]) -> None:
    tables = {key.rpartition(".")[0] for key in BY_KEY} | {"worker"}
    for key in _keys(data, tables):
        if key not in BY_KEY and key not in tables:
            last = suggestion(key, [*BY_KEY, *tables], 1)
            raise ConfigError(f"{path}: {key} is not known", hint=last)


def _keys(data: Mapping[str, Any], tables: set[str], above: str = "") -> Iterator[str]:
    for name, value in data.items():
        key = f"{above}{name}"
        yield key
        if key in tables and isinstance(value, dict):
            yield from _keys(value, tables, f"{key}.")


def _texts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for variable in VARIABLES:
        value: Any = data
        for part in variable.key.split("."):
            value = value.get(part) if value is not None else None
        if value is not None:
            yield variable.name, _text(value, as_json=isinstance(variable.kind, Json))


def _text(value: Any, *, as_json: bool) -> str:  # noqa: ANN401 - what TOML has
    if as_json:
        return json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ":".join(value)
    return str(value)
