"""Writes the catalogue of findings into `docs/validate.md`.

Run as `python -m caur_ci.validation.catalogue_page`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.judge.catalogue_page import between_marks
from caur_ci.validation.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "validate.md"


def catalogue() -> str:
    """Return the catalogue as tables."""
    return "\n".join(_lines()) + "\n"


def with_catalogue(page: str) -> str:
    """Return a page with the catalogue between its marks. Raises ValueError where it has none."""
    return between_marks(page, catalogue())


def _lines() -> Iterator[str]:
    for topic, rules in CATALOGUE.items():
        yield from (
            "",
            f"### {topic}",
            "",
            "| code | severity | what is told | what to do | `--fix` |",
            "|-|-|-|-|-|",
        )
        for rule in rules:
            sentence = rule.sentence.replace("{what}", "…").replace("|", "\\|")
            mended = "where certain" if rule.mended else ""
            yield f"| `{rule.code}` | {rule.severity} | {sentence} | {rule.remedy} | {mended} |"
    yield ""


def main() -> None:
    """Write it."""
    PAGE.write_text(with_catalogue(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
