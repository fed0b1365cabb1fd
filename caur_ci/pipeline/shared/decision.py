"""What a run asks of the build side for one package."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PackageAction(StrEnum):
    """What is to happen to a package."""

    BUILD = "build"
    REMOVE = "remove"
    LEFT_OUT = "left-out"  # it cannot be used as it is
    HELD = "held"  # it is on hold, and built when it is so no more


@dataclass(frozen=True, slots=True)
class PackageDecision:
    """What is to happen to one package, and why.

    `build_class` is a number or the name of a worker, None for the queue's default. `group` and
    `publish` are as in `PackageRequest`.
    """

    package: str
    action: PackageAction
    reason: str
    build_class: str | None = None
    group: str = ""
    publish: str = "together"
