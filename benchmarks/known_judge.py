"""caur-ci whose judge may know all answers before: what on-schedule takes without judging.

`python -m benchmarks.known_judge [ANSWERS] -- ARGUMENT…`: ANSWERS is what `on-schedule --json`
printed before of the same changes. Without it, nothing is different from `caur-ci ARGUMENT…`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from caur_ci.__main__ import main as caur_ci
from caur_ci.judge.model import Judgement, PackageContext
from caur_ci.pipeline.on_schedule import planning

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Run the command line and exit."""
    begin = sys.argv.index("--")
    answers = sys.argv[1:begin]
    del sys.argv[1 : begin + 1]
    if not answers:
        caur_ci()
        return
    with mock.patch.object(planning, "judge_change", _knowing(Path(answers[0]))):
        caur_ci()


def _knowing(answers: Path) -> Callable[..., Judgement]:
    known = {
        decision["package"]: Judgement.from_dict(decision["judgement"])
        for decision in json.loads(answers.read_bytes())["decisions"]
        if decision["judgement"]
    }

    def judge_change(*_trees: object, package: PackageContext, **_judge: object) -> Judgement:
        return known[package.name]

    return judge_change


if __name__ == "__main__":
    main()
