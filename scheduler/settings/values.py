"""What settings were given, in the environment or in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar, overload

from caur_ci.errors import CaurError, ConfigError
from caur_ci.names import check_repository_name
from scheduler.schemas import problem_of
from scheduler.settings.file import CONFIG_VARIABLE, read_settings_file
from scheduler.settings.kinds import Json, absolute
from scheduler.settings.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scheduler.settings.variables import Variable

T = TypeVar("T")
D = TypeVar("D")


class Values:
    """The settings by variable. An empty variable counts as not set.

    `file` is a TOML file, or the one that the variable CAUR_CONFIG names; variables win over it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get(CONFIG_VARIABLE)
        self._file = read_settings_file(absolute(path)) if path else None
        given = {each.name: environ.get(each.name, "").strip() for each in VARIABLES}
        in_file = dict(self._file.texts) if self._file else {}
        self.texts = in_file | {name: text for name, text in given.items() if text}
        self._from_file = {name for name in in_file if not given[name]}

    @overload
    def get(self, variable: Variable[T]) -> T | None: ...
    @overload
    def get(self, variable: Variable[T], default: D) -> T | D: ...
    def get(self, variable: Variable[T], default: D | None = None) -> T | D | None:
        """Return the value of a setting, or `default`. Raises ConfigError."""
        text = self.texts.get(variable.name)
        if text is None:
            return default
        try:
            return variable.kind.parse(text)
        except ValueError as error:
            raise ConfigError(
                f"{self.named(variable)}={text!r} does not fit; allowed is {error}"
            ) from error

    def need(self, variable: Variable[T]) -> T:
        """Return the value of a setting that has no default. Raises ConfigError."""
        value = self.get(variable)
        if value is None:
            key = f", or {variable.key} in {self._file.path}" if self._file else ""
            raise ConfigError(
                f"{variable.name} is not set", hint=f"Set it{key}: {variable.summary}"
            )
        return value

    def table(self, variable: Variable[str], *, needed: bool = True) -> dict[str, Any]:
        """Return a JSON object of objects by repository name. Raises ConfigError."""
        kind, name = variable.kind, self.named(variable)
        assert isinstance(kind, Json)  # noqa: S101 - for mypy
        hint = f"Expected is JSON such as {kind.example}."
        if not needed and variable.name not in self.texts:
            return {}
        try:
            data = json.loads(self.need(variable))
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{name} is not JSON: {error}", hint=hint) from error
        problem = problem_of(kind.name, data) or _control_character(data)
        if problem:
            raise ConfigError(f"{name}: {problem}", hint=hint)
        for repository in data:
            try:
                check_repository_name(repository)
            except CaurError as error:
                raise ConfigError(f"{name}: {error.message}") from error
        return dict(data)

    def named(self, variable: Variable[Any]) -> str:
        """Return what people know a setting by: its variable, or its place in the file."""
        if self._file and variable.name in self._from_file:
            return f"{self._file.path}: {variable.key}"
        return variable.name


def _control_character(data: object) -> str:
    """Say where a text holds what could end a line in a file that we write."""
    for path, text in _texts(data, "$"):
        if any(ord(character) < 32 or ord(character) == 127 for character in text):
            return f"{path}: holds a control character"
    return ""


def _texts(data: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, f"{path}.{key}")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _texts(value, f"{path}[{number}]")
