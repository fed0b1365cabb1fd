"""The processes of a run, and the one that takes a dead one's place."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.environment import child_environment
from tests.chaos.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.settings import Settings


# SIGTERM: told to end before it had come so far as to do that in order.
_MEANT = (0, -signal.SIGKILL, -signal.SIGTERM)


@dataclass(slots=True)
class _Part:
    """One place in the run, and the process that has it now."""

    name: str
    program: str
    generation: int
    process: subprocess.Popen[bytes]


class Crowd:
    """All submitters, workers and runners, from `with` to its end.

    `deaths` counts those that were killed or killed themselves, by program; `crashes` tells of
    those that ended in a way that nobody meant.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._counts = {
            "submitter": settings.submitters,
            "worker": settings.workers,
            "runner": settings.runners,
            "operator": settings.operators,
        }
        self._parts: dict[str, _Part] = {}
        self.crashes: list[str] = []
        self.deaths: Counter[str] = Counter()

    def signal(self, program: str, target: int, number: signal.Signals) -> str | None:
        """Send a signal to one of those that run `program`; returns who got it."""
        running = [part for part in self._parts.values() if part.program == program]
        if not running:
            return None
        part = running[target % len(running)]
        part.process.send_signal(number)
        return part.name

    def thaw(self, name: str) -> None:
        """Let somebody who was stopped go on; nothing happens to those that were not."""
        if name in self._parts:
            self._parts[name].process.send_signal(signal.SIGCONT)

    def replace_dead(self) -> None:
        """Start anew whoever has ended, but for submitters that have done their work."""
        for name, part in list(self._parts.items()):
            code = part.process.poll()
            if code is None:
                continue
            self.deaths[part.program] += code == -signal.SIGKILL
            if code not in _MEANT:
                self.crashes.append(self._crash(part, code))
            del self._parts[name]
            if not (part.program == "submitter" and code == 0):
                self._start(name, part.program, part.generation + 1)

    @property
    def is_submitting(self) -> bool:
        """Whether there are requests that are not acknowledged yet."""
        return any(part.program == "submitter" for part in self._parts.values())

    def __enter__(self) -> Self:
        for program, count in self._counts.items():
            for slot in range(count):
                self._start(f"{program}{slot}", program, 0)
        return self

    def __exit__(self, *_: object) -> None:
        for part in self._parts.values():
            part.process.kill()
        for part in self._parts.values():
            part.process.wait()

    def _start(self, name: str, program: str, generation: int) -> None:
        with self._errors_of(name, generation).open("wb") as errors:
            process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", f"tests.chaos.actors.{program}"),
                    *(str(self._folder), name, str(generation)),
                ],
                cwd=ROOT,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self._parts[name] = _Part(name, program, generation, process)

    def _crash(self, part: _Part, code: int) -> str:
        errors = self._errors_of(part.name, part.generation).read_text(errors="replace")
        return f"{part.name}-{part.generation} ended with {code}:\n{errors[-2000:]}"

    def _errors_of(self, name: str, generation: int) -> Path:
        return self._folder / f"{name}-{generation}.err"
