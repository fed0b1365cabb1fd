"""Tells the queue that a pipeline has got to its end: metrics show when none does for long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.cli.session import Session
    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.handover import HandOver
    from caur_ci.pipeline.shared.memory.branch import Memory
    from scheduler.metrics import Condition, Pipeline
    from scheduler.queue import QueueReader

# What CI_PIPELINE_SOURCE and GITHUB_EVENT_NAME say alike.
_PUSH, _SCHEDULE = "push", "schedule"


def tell_of_hand_over(
    session: Session,
    queue: QueueReader,
    result: HandOver,
    config: RepositoryConfig,
    environ: Mapping[str, str],
) -> None:
    """Tell it, also where there was nothing to hand over. What was handed over stays so."""
    from scheduler.metrics import tell_of_run  # noqa: PLC0415 - slow to import

    now = time.time()
    packages = _in_trouble(result.memory, config, now) if result.memory else {}
    try:
        tell_of_run(queue, pipeline_in(environ), packages, now)
    except CaurError as error:
        session.warn(f"metrics do not know of this run: {error.message}")


def pipeline_in(environ: Mapping[str, str]) -> Pipeline:
    """Return what started the pipeline that we run in."""
    from scheduler.metrics import Pipeline  # noqa: PLC0415

    started_by = ""
    if environ.get("GITLAB_CI"):
        started_by = environ.get("CI_PIPELINE_SOURCE", "")
    elif environ.get("GITHUB_ACTIONS"):
        started_by = environ.get("GITHUB_EVENT_NAME", "")
    known = {_PUSH: Pipeline.ON_COMMIT, _SCHEDULE: Pipeline.ON_SCHEDULE}
    return known.get(started_by, Pipeline.MANUAL)


def _in_trouble(memory: Memory, config: RepositoryConfig, now: float) -> dict[Condition, int]:
    from scheduler.metrics import Condition  # noqa: PLC0415

    troubles = memory.troubles
    stale = troubles.stale(failures=config.stale_failures, days=config.stale_days, now=now)
    return {
        Condition.STALE: len(stale),
        Condition.FAILING: sum(1 for it in troubles.packages.values() if it.failures),
        Condition.HELD: len(memory.holds.packages),
    }
