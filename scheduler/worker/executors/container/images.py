"""The image that builds start from: pulled once a day at most."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING

from caur_ci.locks import locked
from scheduler.job import Usage
from scheduler.worker.executors.protocol import GuestError, StoppedError
from scheduler.worker.executors.step_process import CollectingWatch, follow

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.worker.executors.container.engine import Engine
    from scheduler.worker.executors.protocol import Watch

_log = logging.getLogger(__name__)

_PULLED_EVERY = 24 * 3600
# Images of this name were made here, and no registry has them.
_LOCAL = "localhost/"


def provide_image(engine: Engine, image: str, stamps: Path, watch: Watch) -> None:
    """See that `image` is on this machine and not much older than a day.

    Where it cannot be pulled, one that is there already will do. Raises GuestError where there is
    none, StoppedError when `watch` wants to stop.
    """
    if image.startswith(_LOCAL):
        if not engine.has_image(image):
            raise GuestError(f"there is no image {image} on this machine")
        return
    name = hashlib.sha256(f"{engine.program} {image}".encode()).hexdigest()[:16]
    stamp = stamps / f"{name}.pulled"
    with locked(stamp.with_suffix(".lock")):
        if _is_fresh(stamp) and engine.has_image(image):
            return
        _pull(engine, image, stamps, watch)
        stamp.touch()


def _is_fresh(stamp: Path) -> bool:
    try:
        return time.time() - stamp.stat().st_mtime < _PULLED_EVERY
    except FileNotFoundError:
        return False


def _pull(engine: Engine, image: str, folder: Path, watch: Watch) -> None:
    collected = CollectingWatch(watch)
    with engine.start(["pull", "--quiet", image], cwd=folder) as process:
        stopped = follow(process, collected, usage=Usage, end=process.kill)
    if stopped is not None:
        raise StoppedError(stopped)
    if process.returncode == 0:
        return
    lines = collected.data.decode(errors="replace").strip().splitlines()
    reason = lines[-1] if lines else f"exit code {process.returncode}"
    if not engine.has_image(image):
        raise GuestError(f"the image {image} cannot be pulled: {reason}")
    _log.warning("the image %s cannot be pulled, going on with what is here: %s", image, reason)
