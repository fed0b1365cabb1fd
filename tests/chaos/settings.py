"""What one run is made of, handed to its processes in a file."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

from scheduler.queue import Backoff

# Where the processes of a run find these modules.
ROOT = Path(__file__).parents[2]

# Short enough for jobs that are lost as often as that.
BACKOFF = Backoff(first=0.2, factor=2.0, longest=1.0, losses=4)
# The reason given for a job that no worker survives.
POISON = "poison"

_FILE = "settings.json"
_BUILD_CLASSES = (1, 2, 3, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run. `url` leads to the queue through the proxy.

    `pace` is the mean pause between two requests of a submitter, in seconds. `cycles` is the share
    of dependencies on packages of any number, most of which are on those of lower ones.
    """

    seed: int
    jobs: int = 150
    workers: int = 6
    runners: int = 2
    submitters: int = 3
    operators: int = 1
    lease: float = 2.0
    cycles: float = 0.06
    pace: float = 0.5
    url: str = ""

    def chance(self, *who: str | int) -> random.Random:
        """Return the source of all of somebody's choices."""
        return random.Random("/".join(map(str, (self.seed, *who))))

    def write(self, folder: Path) -> None:
        """Leave the settings for the processes of the run."""
        (folder / _FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """Return the settings of the run in `folder`."""
        return cls(**json.loads((folder / _FILE).read_text(encoding="utf-8")))


def worker_name(slot: int) -> str:
    """Return the name of the worker in a place; jobs of that text class are for it alone."""
    return f"worker{slot}"


def worker_class(slot: int) -> int:
    """Return the build class of the worker in a place."""
    return _BUILD_CLASSES[slot % len(_BUILD_CLASSES)]
