"""The keys of the configuration files, as their schemas have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from caur_ci.config import package_schema, repository_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG_FORM = (
    "Lines of the form `KEY=VALUE`, bare or quoted, with comments after `#`. A key that is not "
    "known is kept, and warned about. What a value may be is in the JSON Schemas that ship with "
    "the package."
)
# What each kind of file is for, by its name.
CONFIG_FILES = {
    "repository": "`.ci/config`, for the whole repository",
    "package": "`.CI/config`, for one package",
}
_SCHEMAS = {"repository": repository_schema, "package": package_schema}


def keys_of(kind: str) -> Iterator[tuple[str, str]]:
    """Yield each key of a kind of file, with what it is for."""
    properties = cast("dict[str, dict[str, str]]", _SCHEMAS[kind]()["properties"])
    for key, schema in properties.items():
        yield key, schema["description"]
