"""What is published in the work folder, brought to the publishing target of a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scheduler.hosting.protocol import BusyTargetError
from scheduler.hosting.uploading import upload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.hosting.protocol import PublishingTarget
    from scheduler.hosting.synchronizing import Synchronization

_GLANCE = 10.0


def bring(
    target: PublishingTarget,
    root: Path,
    repository: str,
    *,
    grace: float,
    who: str,
    patience: float,
    waiting: Callable[[str], None],
) -> Synchronization:
    """Upload a repository, and wait for up to `patience` seconds while somebody else does.

    What was built is worth a wait: it would have to be built once more. `waiting` is told each time
    for whom, and may raise what ends it. Raises as `upload` does.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return upload(target, root, repository, grace=grace, who=who)
        except BusyTargetError as error:
            if time.monotonic() >= deadline:
                raise
            waiting(error.message)
            time.sleep(_GLANCE)
