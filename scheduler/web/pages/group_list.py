"""The rebuild groups that are open: packages that are published together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scheduler.web.pages.cells import Badge, Link, Moment, Several, Text
from scheduler.web.pages.listing import Listing, Row, cut
from scheduler.web.pages.parameters import number
from scheduler.web.pages.paths import package_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from scheduler.queue import GroupView, JobView

_MEMBERS = 200
_NAMED = 8


def groups(request: Request) -> Listing:
    """Return the rebuild groups, how far each is, and who holds it up."""
    found = request.app.state.services.queue.groups(limit=_MEMBERS)
    shown, more = cut(
        [_row(group) for group in found], number(request, "page", 1, smallest=1, largest=1000)
    )
    return Listing(
        title="Rebuild groups",
        lead="Packages that are built one after another and published in one step. One that cannot "
        "be built holds up the others, until it is built or somebody decides.",
        columns=("Group", "State", "Built", "Opened", "Missing", "Held up by"),
        rows=shown,
        empty="There is none.",
        now=time.time(),
        total=len(found),
        more=more,
    )


def _row(group: GroupView) -> Row:
    place, _, name = group.name.rpartition("/")
    state = _state(group)
    built = len(group.staged) + len(group.publishing)
    first = next(iter((*group.failed, *group.unbuilt, *group.staged, *group.publishing)), None)
    return Row(
        key=f"group/{group.name}/{group.opened:.0f}",
        title=f"{group.name}: {state.text}, {built} of {group.total} built",
        path=package_path(first.identity) if first is not None else "/",
        time=group.opened,
        summary=group.trouble or state.text,
        cells=(
            Text(name, place),
            state,
            Text(f"{built} of {group.total}"),
            Moment(group.opened),
            _names(group.unbuilt),
            Several((*_names(group.failed).cells, Text(group.trouble))),
        ),
        data=group,
    )


def _state(group: GroupView) -> Badge:
    if group.is_held_up:
        return Badge("held up", "bad")
    return Badge("being published" if group.publishing else "being built", "busy")


def _names(jobs: Sequence[JobView]) -> Several:
    named = (
        Link(job.identity.rpartition("/")[2], package_path(job.identity)) for job in jobs[:_NAMED]
    )
    more = (Text(f"and {len(jobs) - _NAMED} more"),) if len(jobs) > _NAMED else ()
    return Several((*named, *more))
