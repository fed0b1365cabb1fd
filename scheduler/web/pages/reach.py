"""Pages say what they can while Redis is out of reach: history and repositories are still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from caur_ci.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
U = TypeVar("U")


def unless_out_of_reach(ask: Callable[[], T], otherwise: U) -> T | U:
    """Return the answer to a question, or `otherwise` where who would know is out of reach."""
    try:
        return ask()
    except TemporaryError:
        return otherwise
