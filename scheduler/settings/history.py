"""Where the history is, and how long it remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from scheduler.settings import variables as v
from scheduler.settings.kinds import absolute
from scheduler.settings.values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT_HISTORY_DAYS = 400
DEFAULT_LOG_DAYS = 90
DEFAULT_LOG_SIZE = 20 * 1024
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """What there is to know of the history.

    `path` is a folder. Jobs are forgotten after `days`, logs after `log_days`; all logs together
    take at most `log_size` bytes of the disk.
    """

    path: Path
    days: int = DEFAULT_HISTORY_DAYS
    log_days: int = DEFAULT_LOG_DAYS
    log_size: int = DEFAULT_LOG_SIZE * _MEBIBYTE

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, state_dir: Path) -> Self:
        """Read the settings; `state_dir` is where the history is by default. Raises ConfigError."""
        values = Values(environ)
        return cls(
            path=values.get(v.HISTORY_PATH, absolute(state_dir / "history")),
            days=values.get(v.HISTORY_DAYS, DEFAULT_HISTORY_DAYS),
            log_days=values.get(v.HISTORY_LOG_DAYS, DEFAULT_LOG_DAYS),
            log_size=values.get(v.HISTORY_LOG_SIZE, DEFAULT_LOG_SIZE) * _MEBIBYTE,
        )
