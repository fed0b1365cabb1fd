"""What journeys share: somebody else who is faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.shared.refs import SharedRepository

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return what lets something happen right before the push of the next run."""

    def arrange(step: Callable[[], object]) -> None:
        push = SharedRepository.push

        def pushing(self: SharedRepository, *arguments: object) -> bool:
            monkeypatch.setattr(SharedRepository, "push", push)
            step()
            return push(self, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(SharedRepository, "push", pushing)

    return arrange
