"""Rebuild groups as they are shown, and what becomes of wishes about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.job import GroupPublishing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.queue.model import JobView


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A rebuild group that is open.

    `name` is `target_repo/arch/name`, `opened` a Unix time by the clock of the Redis server. Each
    list of members is cut at the limit asked for, `total` counts all. A group with `failed`
    members waits for them, unless it is `partial`; with `trouble` it waits for somebody to publish
    it, which did not work so many times. `waits_for` tells of unbuilt members, by identity, which
    of the others have to be there first.
    """

    name: str
    publish: GroupPublishing
    opened: float
    unbuilt: tuple[JobView, ...] = ()
    staged: tuple[JobView, ...] = ()
    publishing: tuple[JobView, ...] = ()
    failed: tuple[JobView, ...] = ()
    total: int = 0
    trouble: str = ""
    waits_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_held_up(self) -> bool:
        """Whether nothing goes on until somebody does something about it."""
        return bool(self.trouble or (self.failed and self.publish is not GroupPublishing.PARTIAL))

    def held_up_by(self, member: JobView) -> tuple[str, ...]:
        """Return the identities of the members that are not built because of the failed `member`.

        What these hold up in turn is among them.
        """
        found: dict[str, None] = {}
        causes = {member.identity}
        while causes:
            more = {
                job.identity
                for job in self.unbuilt
                if causes & {*job.held_by, *self.waits_for.get(job.identity, ())}
                and job.identity not in found
            }
            found |= dict.fromkeys(sorted(more))
            causes = more
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """What became of a wish about a rebuild group.

    Where not `done`, nothing changed: `members` are those that it waits for. Otherwise they are the
    identities of those that are not published with it.
    """

    group: str
    done: bool
    members: tuple[str, ...] = ()
