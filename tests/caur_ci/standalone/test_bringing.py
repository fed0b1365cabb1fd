"""While somebody else uploads, what was built is not thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.standalone import bringing
from caur_ci.standalone.bringing import bring
from scheduler.hosting.folder import FolderTarget
from scheduler.hosting.protocol import BusyTargetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class _Busy(FolderTarget):
    """A folder that somebody else is changing for some time."""

    times = 2

    def listing(self, repository: str) -> Mapping[str, int]:
        self.times -= 1
        if self.times >= 0:
            raise BusyTargetError("another upload is under way: somebody")
        return super().listing(repository)


def test_a_run_waits_for_another_upload_for_as_long_as_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "_GLANCE", 0.0)
    told: list[str] = []

    def once(patience: float) -> bool:
        target = _Busy(tmp_path / "www")
        done = bring(
            target,
            tmp_path,
            "repo",
            grace=0,
            who="us",
            patience=patience,
            waiting=told.append,
        )
        return done.is_empty

    assert once(60)
    assert told == ["another upload is under way: somebody"] * 2
    with pytest.raises(BusyTargetError):
        once(0)
