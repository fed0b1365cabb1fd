"""What MkDocs does to pages before it makes a site of them."""

from __future__ import annotations

import re

# To files of the repository that are no pages: readers of the site have no use for them.
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!\w+\.md)[^)]*\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Turn links that lead out of the documentation into their text."""
    return _OUTSIDE.sub(r"\1", markdown)
