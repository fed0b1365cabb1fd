"""Let one run happen and say how it went."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.check import check
from tests.chaos.run import run
from tests.chaos.settings import Settings

# Requests come in for most of the time.
_PACE = 1.2


def main() -> int:
    """Run with the options of the command line; 1 if a rule was broken."""
    options = _options()
    settings = Settings(seed=options.seed, jobs=options.jobs, workers=options.workers, pace=_PACE)
    print(f"seed {settings.seed}: {settings.jobs} jobs, {settings.workers} workers", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="caur-chaos-journals-"))
    started = time.monotonic()
    verdict = check(run(settings, folder))
    print(verdict)
    print(f"seed {settings.seed}, {time.monotonic() - started:.0f} s: ", end="")
    if verdict.problems:
        print(f"{len(verdict.problems)} rules broken; the journals are in {folder}")
        return 1
    print("every rule was kept")
    shutil.rmtree(folder)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000, metavar="N", help="default: 1000")
    parser.add_argument("--workers", type=int, default=8, metavar="N", help="default: 8")
    parser.add_argument(
        "--seed",
        type=int,
        default=random.randrange(1_000_000),
        metavar="N",
        help="decides the jobs, the faults and everybody's choices; default: another each time",
    )
    options = parser.parse_args()
    if options.jobs < 1 or options.workers < 4:
        parser.error("at least one job, and four workers: each build class needs one")
    return options


if __name__ == "__main__":
    sys.exit(main())
