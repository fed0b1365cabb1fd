"""What the kernel tells of a container: of both versions of control groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """The folders with the figures of one container, None for those that are not to be had."""

    memory: Path | None = None
    processor: Path | None = None

    @classmethod
    def of_process(cls, pid: int, *, proc: Path = Path("/proc"), root: Path = _ROOT) -> Self:
        """Return the group of a process, without what this process shares with it.

        An ordinary user's containers have no groups of their own with version 1.
        """
        places = _places(proc / str(pid), root)
        own = _places(proc / "self", root)
        found = []
        for controller in ("memory", "cpuacct"):
            # Version 2 has one folder for everything, named by no controller.
            named = controller if controller in places else ""
            place = places.get(named)
            if place is None or place == own.get(named) or not place.is_dir():
                place = None
            found.append(place)
        return cls(*found)

    def holds_memory(self, limit: int) -> bool:
        """Tell whether the group may have no more than `limit` bytes of memory."""
        number = _number(self.memory, "memory.max", "memory.limit_in_bytes")
        return number is not None and number <= limit

    def peak_memory(self) -> int | None:
        """Return the most bytes that were in use at once, the files in memory included."""
        return _number(self.memory, "memory.peak", "memory.max_usage_in_bytes")

    def cpu_seconds(self) -> float | None:
        """Return the time on all processors together."""
        nanoseconds = _number(self.processor, "cpuacct.usage")
        if nanoseconds is not None:
            return nanoseconds / 1e9
        microseconds = _entry(self.processor, "cpu.stat", "usage_usec")
        return None if microseconds is None else microseconds / 1e6

    def oom_kills(self) -> int:
        """Return how many processes the kernel has ended for want of memory."""
        found = _entry(self.memory, "memory.events", "oom_kill")
        if found is None:
            found = _entry(self.memory, "memory.oom_control", "oom_kill")
        return found or 0


def _places(process: Path, root: Path) -> dict[str, Path]:
    try:
        lines = (process / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}  # the engine runs on another machine, or the process has ended
    places: dict[str, Path] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        folder = root / controllers if controllers else root
        for controller in controllers.split(","):
            places[controller] = folder / path.lstrip("/")
    return places


def _number(folder: Path | None, *names: str) -> int | None:
    for name in names:
        text = _read(folder, name).strip()
        if text.isdecimal():
            return int(text)
    return None


def _entry(folder: Path | None, name: str, key: str) -> int | None:
    for line in _read(folder, name).splitlines():
        found, _, value = line.partition(" ")
        if found == key:
            return int(value)
    return None


def _read(folder: Path | None, name: str) -> str:
    if folder is None:
        return ""
    try:
        return (folder / name).read_text(encoding="ascii")
    except OSError:
        return ""
