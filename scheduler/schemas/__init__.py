"""JSON Schemas of what the build side reads."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from caur_ci.request import request_schema

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


def problem_of(schema: str, data: object) -> str:
    """Return what is wrong with `data` and where, or an empty string.

    `schema` is the name of a file in this folder, without `.schema.json`.
    """
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - slow to import

    error = best_match(_validator(schema).iter_errors(cast("Any", data)))
    if error is None:
        return ""
    return f"{error.json_path}: {_words_of(error)[:300]}"


def _words_of(error: ValidationError) -> str:
    """Return the message without the value: a URL may hold a password."""
    if error.validator == "pattern":
        return f"does not match {error.validator_value}"
    shown = repr(error.instance)
    return error.message.replace(shown, "this") if len(shown) > 2 else error.message


def schema_of(schema: str) -> dict[str, Any]:
    """Return the schema `schema`; it may refer to that of hand-over documents."""
    text = resources.files(__name__).joinpath(f"{schema}.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


@cache
def _validator(schema: str) -> Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import
    from referencing import Registry, Resource  # noqa: PLC0415 - slow to import

    # What a hand-over document and a job have in common is said in the former's schema only.
    shared = Resource.from_contents(request_schema())
    registry: Registry[Any] = Registry().with_resource(request_schema()["$id"], shared)
    return Draft202012Validator(schema_of(schema), registry=registry)
