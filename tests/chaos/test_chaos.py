"""The queue under fire, in its short form; `make chaos` is the long one."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from tests.chaos.check import check
from tests.chaos.faults import Kind
from tests.chaos.run import run
from tests.chaos.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_lost_done_twice_or_out_of_order_whatever_dies(tmp_path: Path) -> None:
    seed = int(os.environ.get("CAUR_CHAOS_SEED") or random.randrange(1_000_000))
    settings = Settings(seed=seed)
    verdict = check(run(settings, tmp_path))
    print(f"seed {seed}\n{verdict}")
    assert not verdict.problems, f"seed {seed}\n{verdict}"
    assert verdict.counts["jobs acknowledged"] == settings.jobs
    for harm in (f"fault: {Kind.KILL_SERVER}", f"fault: {Kind.REFUSE}"):
        assert verdict.counts[harm] > 0
    for who in ("worker", "submitter"):
        assert verdict.counts[f"deaths: {who}"] > 0
