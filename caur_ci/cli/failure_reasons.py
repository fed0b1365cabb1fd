"""What the log of a failed build says about why a package is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.explanation_view import in_short
from caur_ci.cli.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.diagnosis import Explanation

_SOURCE = "log"


def failure_reasons(explanation: Explanation) -> Iterator[Reason]:
    """Yield the first error of a build in short, and where there is more about it."""
    more = Reason(
        source=_SOURCE,
        text=f"`caur-ci explain {explanation.job_id}` tells more; the same here: "
        f"{explanation.command}",
    )
    error = in_short(explanation)
    if error:
        yield Reason(source=_SOURCE, text=error, because=(more,))
    else:
        yield more
