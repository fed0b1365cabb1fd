"""How much a tree of processes uses, looked up in /proc from time to time."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.job import Usage
from scheduler.worker.executors.host.supervisor import descendants

if TYPE_CHECKING:
    from scheduler.worker.executors.host.supervisor import UsageReport

_LOOKED_UP_EVERY = 1.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_OOM_KILLS = b"oom_kill "


@dataclass(slots=True)
class Sampler:
    """Adds up what the steps of a build use, one process tree after another.

    Memory is that which belongs to a process alone; files that several have mapped do not count.
    Between two looks, only the largest process is known.
    """

    _before: float = 0.0
    _now: float = 0.0
    _peak: int = 0
    _last_look: float = field(default=0.0)

    def look(self, root: int) -> Usage:
        """Return what was used so far, `root` and all below it included."""
        if time.monotonic() - self._last_look >= _LOOKED_UP_EVERY:
            self._last_look = time.monotonic()
            seconds, memory = _used_by({root, *descendants(root)})
            # Whoever ends shows up at its parent an instant later.
            self._now = max(self._now, seconds)
            self._peak = max(self._peak, memory)
        return self.total()

    def ended(self, report: UsageReport) -> None:
        """Close the account of a tree that has ended."""
        self._before += max(self._now, report.cpu_seconds)
        self._peak = max(self._peak, report.largest)
        self._now = 0.0
        self._last_look = 0.0

    def total(self) -> Usage:
        """Return what was seen so far."""
        return Usage(peak_memory=self._peak or None, cpu_seconds=self._before + self._now)


def _used_by(pids: set[int]) -> tuple[float, int]:
    ticks = pages = 0
    for pid in pids:
        folder = Path("/proc", str(pid))
        try:
            stat = (folder / "stat").read_bytes()
            _, resident, shared, *_ = (folder / "statm").read_bytes().split()
        except OSError:
            continue  # it has ended meanwhile
        # User and system time, its own and that of the children it has waited for.
        ticks += sum(map(int, stat[stat.rindex(b")") + 2 :].split()[11:15]))
        pages += int(resident) - int(shared)
    return ticks / _TICKS, pages * _PAGE


def oom_kills() -> int:
    """Return how many processes of this machine the kernel has ended for want of memory."""
    try:
        lines = Path("/proc/vmstat").read_bytes().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(_OOM_KILLS))
