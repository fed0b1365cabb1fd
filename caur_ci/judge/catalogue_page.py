"""Writes the catalogue of findings into `docs/judge.md`.

Run as `python -m caur_ci.judge.catalogue_page`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.judge.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "judge.md"
BEGIN, END = "<!-- catalogue: written by a program -->\n", "<!-- end of the catalogue -->\n"


def catalogue() -> str:
    """Return the catalogue as tables."""
    return "\n".join(_lines()) + "\n"


def with_catalogue(page: str) -> str:
    """Return a page with the catalogue between its marks. Raises ValueError where it has none."""
    return between_marks(page, catalogue())


def between_marks(page: str, text: str) -> str:
    """Return a page with other text between its marks. Raises ValueError where it has none."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{text}{END}{after}"


def _lines() -> Iterator[str]:
    for topic, rules in CATALOGUE.items():
        yield from (
            "",
            f"### {topic}",
            "",
            "| code | severity | what is told | example |",
            "|-|-|-|-|",
        )
        for rule in rules:
            sentence = rule.sentence.format(what="…").replace("|", "\\|")
            example = rule.example.replace("|", "\\|")
            yield f"| `{rule.code}` | {rule.severity} | {sentence} | {example} |"
    yield ""


def main() -> None:
    """Write it."""
    PAGE.write_text(with_catalogue(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
