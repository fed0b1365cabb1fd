"""Writes the reference and the man pages: `python -m documentation`."""

from __future__ import annotations

from pathlib import Path

from documentation.manpages import man_pages
from documentation.pages import pages

ROOT = Path(__file__).parents[1]
MAN = ROOT / "man"


def files() -> dict[Path, str]:
    """Return what is made, by the file that it goes to."""
    reference = {ROOT / "docs" / "reference" / name: text for name, text in pages().items()}
    pages_of_man = {MAN / f"man{name[-1]}" / name: text for name, text in man_pages().items()}
    return reference | pages_of_man


def main() -> None:
    """Write all of it, and remove the pages of what is no more."""
    made = files()
    for path in MAN.glob("man?/*"):
        if path not in made:
            path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
