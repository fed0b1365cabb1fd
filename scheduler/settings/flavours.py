"""How packages for one architecture are built, beside what the system's makepkg.conf says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.settings.variables import BUILDER_FLAVOURS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.settings.values import Values

# The levels of x86-64 beside the first.
_LEVELS = (2, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """What makes up an architecture, mostly one that is a flavour of another.

    Flags come after those of the system, and so before them where they say the same. `cxxflags`
    are by default `cflags`. `makeflags` and `image` stand in place of the worker's; `options` are
    added to makepkg's OPTIONS. `environment` is seen by all that makepkg runs.
    """

    cflags: str = ""
    cxxflags: str = ""
    ldflags: str = ""
    rustflags: str = ""
    goflags: str = ""
    makeflags: str = ""
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    image: str = ""


def _level(number: int) -> Flavour:
    return Flavour(
        cflags=f"-march=x86-64-v{number}",
        rustflags=f"-C target-cpu=x86-64-v{number}",
        environment={"GOAMD64": f"v{number}"},
    )


BUILT_IN: Mapping[str, Flavour] = {f"x86_64_v{number}": _level(number) for number in _LEVELS}


def flavours(values: Values) -> dict[str, Flavour]:
    """Return the flavours by architecture; one that is set takes the place of a built-in one.

    Raises ConfigError.
    """
    told = {
        name: Flavour(**{**value, "options": tuple(value.get("options", ()))})
        for name, value in values.table(BUILDER_FLAVOURS, needed=False).items()
    }
    return {**BUILT_IN, **told}
