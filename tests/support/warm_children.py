"""Children of `caur_ci.confined` that outlive the block they were started in.

To start one takes as long as a hundred answers. What is about journeys, and not about children,
asks those of the tests before.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.confined import Confined

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from caur_ci.confined import _Child


class WarmChildren:
    """Children that are idle, by their limits."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[str, str], list[_Child]] = defaultdict(list)
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def lend_and_keep(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let whoever needs a child have one of these, and give it back in the end."""
        start = Confined._take

        def take(confined: Confined) -> _Child:
            with self._lock, confined._lock:
                warm = self._idle[confined._limits]
                # A fork that is killed would leave half a question, or somebody else's answer.
                if warm and not confined._idle and os.getpid() == self._owner:
                    confined._idle.append(warm.pop())
            return start(confined)

        def give_back(confined: Confined, *_error: object) -> None:
            with self._lock, confined._lock:
                self._idle[confined._limits] += confined._idle
                confined._idle = []

        monkeypatch.setattr(Confined, "_take", take)
        monkeypatch.setattr(Confined, "__exit__", give_back)

    def end(self) -> None:
        for children in self._idle.values():
            for child in children:
                child.end()


@contextmanager
def warm_children() -> Iterator[WarmChildren]:
    """Provide children that end with this block."""
    children = WarmChildren()
    try:
        yield children
    finally:
        children.end()
