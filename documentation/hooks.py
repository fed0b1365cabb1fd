"""What MkDocs does to pages before it makes a site of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

_UPWARDS = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+)[^)]*\)")


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Turn links to files of the repository that are no pages into their text."""
    depth = page.file.src_uri.count("/")

    def replaced(link: re.Match[str]) -> str:
        leaves = link[2].count("../") > depth
        return link[1] if leaves else link[0]

    return _UPWARDS.sub(replaced, markdown)
