"""What docs/architecture.md says about the code is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# What is named on the page before it is there.
PLANNED = PAGE[PAGE.index("### Planned") : PAGE.index("## Floors")]


def contracts() -> list[tuple[str, list[list[str]]]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [
        (contract["containers"][0], [re.split(r"\s*[|:]\s*", each) for each in contract["layers"]])
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]


@pytest.mark.parametrize(("container", "layers"), contracts())
def test_the_floors_are_those_of_the_contracts(container: str, layers: list[list[str]]) -> None:
    floors = "; ".join(", ".join(f"`{module}`" for module in floor) for floor in layers)

    assert f"| `{container}` | {floors} |" in PAGE


def test_every_path_on_the_page_is_there() -> None:
    named = set(re.findall(r"\b(?:caur_ci|scheduler)/[\w/.-]+\w", PAGE.replace(PLANNED, "")))
    missing = [
        path
        for path in sorted(named)
        if not (ROOT / path).exists() and not (ROOT / f"{path}.py").exists()
    ]

    assert named
    assert missing == []
