"""Writes the schema of the TOML file from its declarations."""

from __future__ import annotations

import json
from pathlib import Path

from scheduler import schemas
from scheduler.settings.file import SCHEMA, file_schema


def render() -> str:
    """Return the text of the schema file."""
    return json.dumps(file_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it beside the others."""
    folder = Path(schemas.__file__).parent
    (folder / f"{SCHEMA}.schema.json").write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
