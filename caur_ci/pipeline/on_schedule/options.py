"""What callers of on-schedule say, and what they get."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.pipeline.aur_pushing.outcome import AurReport
from caur_ci.pipeline.shared.options import RunOptions
from caur_ci.pipeline.shared.progress import NoProgress, Progress
from caur_ci.review import ForgeChoice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.pipeline.on_schedule.plan import SchedulePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class OnScheduleOptions(RunOptions):
    """What the caller wants of on-schedule.

    `force` leaves out the gate, `only` limits the run to some packages. `record` is a folder to
    keep every answer of the outside world in, `replay` one to take them from. `reviews` is the
    forge where review requests are opened, if there is one.
    """

    force: bool = False
    only: tuple[str, ...] = ()
    record: Path | None = None
    replay: Path | None = None
    progress: Progress = field(default_factory=NoProgress)
    reviews: ForgeChoice = field(default_factory=ForgeChoice)
    confirm_bumps: bool = False

    @property
    def publishes(self) -> bool:
        """Whether anything may change outside of this process."""
        return self.push and not (self.dry_run or self.replay)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnScheduleResult:
    """The plan, the documents that were written, and the commit that was published, if one was.

    `problems` are what could not be done besides, for the next run to do; `pages` are those of
    review requests, by package; `aur` tells what was pushed there.
    """

    plan: SchedulePlan
    written: tuple[Path, ...] = ()
    published: bool = False
    commit: str = ""
    problems: tuple[str, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)
    aur: AurReport = field(default_factory=AurReport)
