"""Builds that somebody asks for, without a change: a request in the outbox, for the hand-over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.pipeline.manual.operation import done_by

if TYPE_CHECKING:
    from caur_ci.pipeline.holding import Keeper
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.holds import Holds
    from caur_ci.request import BuildRequest

_COMMAND = "schedule"


def refuse_held(request: BuildRequest, holds: Holds) -> None:
    """Raise InputError where one of the packages of `request` is on hold."""
    named = [package.pkgbase for package in request.packages]
    held = [f"{name} is {hold}" for name in named if (hold := holds.get(name)) is not None]
    if held:
        raise InputError(
            "; ".join(held),
            hint="Nothing was scheduled. `caur-ci unhold` lets a package go; --even-held builds it "
            "once, and leaves it on hold.",
        )


def put_into_outbox(keeper: Keeper, request: BuildRequest, *, even_held: bool) -> None:
    """Put `request` into the outbox on branch `caur`, where the next hand-over finds it.

    Raises InputError for packages that are on hold, unless `even_held`, and as
    `SharedRepository.change_memory` does.
    """

    def change(memory: Memory) -> Memory:
        if not even_held:
            refuse_held(request, memory.holds)
        return asking(keeper, memory, request)

    keeper.change(change)


def asking(keeper: Keeper, memory: Memory, request: BuildRequest, reason: str = "") -> Memory:
    """Return the memory with `request` in the outbox, because somebody asked for it."""
    told = done_by("asked for", keeper.person, reason)
    entries = [
        keeper.entry(_COMMAND, package.pkgbase, "build", told) for package in request.packages
    ]
    return memory.with_run(request, entries)
