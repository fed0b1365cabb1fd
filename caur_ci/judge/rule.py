"""What a kind of finding is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caur_ci.judge.model import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding. `sentence` may hold `{what}`; `example` is a change that leads to it."""

    code: str
    severity: Severity
    sentence: str
    example: str
