"""Looks at this machine as a builder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.landing import landing_at
from scheduler.worker.executors.opening import opened_executor
from scheduler.worker.readiness import check_disk
from scheduler.workerkeys import AllowedWorkers, WorkerKey

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.cli.doctor.checks import Examination
    from scheduler.settings import WorkerSettings


def examine_worker(
    found: Examination, settings: WorkerSettings, allowed_workers: Path | None
) -> None:
    """Look at what builds need, and whether what is built here would be published.

    `allowed_workers` is the file of the database runner, where it is on this machine.
    """
    found.ok("settings", f"worker {settings.name}, class {settings.build_class}")
    found.look("disk", lambda: _disk(found, settings))
    try:
        with opened_executor(settings) as executor:
            found.ok("executor", f"{executor.name} can be used")
    except (CaurError, OSError) as error:
        hint = error.hint if isinstance(error, CaurError) else ""
        found.problem(
            "executor", error.message if isinstance(error, CaurError) else str(error), hint
        )
    found.look("landing zone", lambda: _landing(found, settings))
    found.look("key", lambda: _key(found, settings, allowed_workers))


def _disk(found: Examination, settings: WorkerSettings) -> None:
    settings.shared.mkdir(parents=True, exist_ok=True)
    check_disk(settings.shared, settings.min_free)
    found.ok("disk", f"there is room in {settings.shared}")


def _landing(found: Examination, settings: WorkerSettings) -> None:
    landing_at(settings.landing_zone).check()
    found.ok("landing zone", "deliveries can be put there")


def _key(found: Examination, settings: WorkerSettings, allowed_workers: Path | None) -> None:
    if not settings.key.exists():
        found.warn(
            "key", f"there is none yet at {settings.key}", "`caur-ci worker --print-key` makes it."
        )
        return
    WorkerKey(settings.key).check()
    if allowed_workers is None:
        found.ok("key", "it signs")
    elif AllowedWorkers(allowed_workers).names(settings.name):
        found.ok("key", f"it signs, and {allowed_workers} has a line for {settings.name}")
    else:
        found.problem(
            "key",
            f"{allowed_workers} has no line for {settings.name}: nothing of it is published",
            "Add the line that `caur-ci worker --print-key` prints.",
        )
