"""What callers of on-schedule say, and what they get."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.pipeline.shared.options import RunOptions
from caur_ci.pipeline.shared.progress import NoProgress, Progress

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.pipeline.on_schedule.plan import SchedulePlan
    from caur_ci.review import ReviewHost


@dataclass(frozen=True, slots=True, kw_only=True)
class OnScheduleOptions(RunOptions):
    """What the caller wants of on-schedule.

    `force` leaves out the gate, `only` limits the run to some packages. `record` is a folder to
    keep every answer of the outside world in, `replay` one to take them from. `review_host` is the
    forge that opens review requests, None where there is none.
    """

    force: bool = False
    only: tuple[str, ...] = ()
    record: Path | None = None
    replay: Path | None = None
    progress: Progress = field(default_factory=NoProgress)
    review_host: ReviewHost | None = None

    @property
    def publishes(self) -> bool:
        """Whether anything may change outside of this process."""
        return self.push and not (self.dry_run or self.replay)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnScheduleResult:
    """The plan, the documents that were written, and the commit that was published, if one was."""

    plan: SchedulePlan
    written: tuple[Path, ...] = ()
    published: bool = False
    commit: str = ""
