"""What pipelines tell of themselves when they hand over, so that somebody sees when none does."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from scheduler.metrics import definitions as m
from scheduler.metrics.tallies import Additions, Tallies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.queue import QueueReader


class Pipeline(StrEnum):
    """What a pipeline was started by."""

    ON_COMMIT = "on-commit"
    ON_SCHEDULE = "on-schedule"
    MANUAL = "manual"


class Condition(StrEnum):
    """What is wrong with a package."""

    STALE = "stale"
    FAILING = "failing"
    HELD = "held"


def tell_of_run(
    queue: QueueReader, pipeline: Pipeline, packages: Mapping[Condition, int], now: float
) -> None:
    """Tell that a pipeline has handed over what there was, at the Unix time `now`.

    `packages` are the numbers of those with something wrong. Raises TemporaryError.
    """
    told = Additions()
    told.count(m.PIPELINE_RUNS, pipeline)
    told.set_time(m.PIPELINE_LAST, now, pipeline)
    for condition, number in packages.items():
        told.set_number(m.PACKAGES, number, condition)
    Tallies(queue.client).tell(told)
