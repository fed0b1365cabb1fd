"""Writes the schemas of the files that people write from their declarations."""

from __future__ import annotations

import json
from pathlib import Path

from caur_ci.config import package_schema, repository_schema
from caur_ci.policy.schema import policy_schema
from caur_ci.validation.silences import silences_schema

SCHEMAS = {
    "package-config.schema.json": package_schema,
    "policy.schema.json": policy_schema,
    "repository-config.schema.json": repository_schema,
    "validate.schema.json": silences_schema,
}


def render(name: str) -> str:
    """Return the text of one schema file."""
    return json.dumps(SCHEMAS[name](), indent=2) + "\n"


def main() -> None:
    """Write all of them beside this module."""
    for name in SCHEMAS:
        Path(__file__).with_name(name).write_text(render(name), encoding="utf-8")


if __name__ == "__main__":
    main()
