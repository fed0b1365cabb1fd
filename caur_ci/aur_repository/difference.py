"""In what two states of a package's files differ, in a few lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.plaintext import printable

if TYPE_CHECKING:
    from caur_ci.git import GitRepository

_MOST_LINES = 40
_LARGEST = 16 * 1024**2
_OPTIONS = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")


def difference(git: GitRepository, old: str, new: str) -> tuple[str, ...]:
    """Return which files differ between two trees, and the first lines of how."""
    # `diff` as it is would read the user's own settings of its form.
    command = ("diff-tree", "-r", "-p", "--stat=100", *_OPTIONS, old, new)
    text = git.git(*command, largest_output=_LARGEST).decode(errors="replace")
    lines = printable(text).splitlines()
    more = len(lines) - _MOST_LINES
    shown = lines[:_MOST_LINES]
    return (*shown, f"… and {more} more lines") if more > 0 else tuple(shown)
