"""What callers of on-schedule say, and what they get."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.environment import Secrets
from caur_ci.pipeline.shared.progress import Progress, Unwatched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.pipeline.on_schedule.plan import SchedulePlan
    from caur_ci.review import ReviewHost


@dataclass(frozen=True, slots=True, kw_only=True)
class OnScheduleOptions:
    """What the caller wants.

    `remote` None means `origin`, or this repository if it has none. `force` leaves out the gate,
    `only` limits the run to some packages. `record` is a folder to keep every answer of the
    outside world in, `replay` one to take them from.
    """

    repo: Path
    remote: str | None = None
    push: bool = True
    dry_run: bool = False
    force: bool = False
    only: tuple[str, ...] = ()
    record: Path | None = None
    replay: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    progress: Progress = field(default_factory=Unwatched)
    reviews: ReviewHost | None = None

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
