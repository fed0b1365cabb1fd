"""Who is who in a container, and on the machine outside."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from scheduler.worker.users import BuildUser

if TYPE_CHECKING:
    from scheduler.worker.executors.container.engine import Engine

_BUILDER = 1000
_IDS = 65536
# Nothing else has these ids: systemd's table of all of them says "unused".
_FIRST_ID = 1_879_048_192
_RANGES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUser:
    """The user that builds: inside, outside, and how the engine is told."""

    inside: str
    outside: BuildUser
    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, user: BuildUser, engine: Engine, *, user_namespace: bool) -> Self:
        """Return who builds for `user`, with a namespace of its own where the engine has those.

        docker has one for all containers or none, by its daemon's settings.
        """
        if not engine.is_podman or not (user_namespace or os.geteuid()):
            return cls(inside=f"{user.uid}:{user.gid}", outside=user)
        if os.geteuid():
            # podman gives this user that one id inside, and ids of its own to all others.
            options = (f"--userns=keep-id:uid={_BUILDER},gid={_BUILDER}",)
            return cls(inside=f"{_BUILDER}:{_BUILDER}", outside=user, options=options)
        # One range for each user that builds, so that two workers have nothing in common. podman
        # mounts images for a single range only, so the user cannot be itself in it.
        first = _FIRST_ID + user.uid % _RANGES * _IDS
        return cls(
            inside=f"{_BUILDER}:{_BUILDER}",
            outside=BuildUser(first + _BUILDER, first + _BUILDER),
            options=(f"--uidmap=0:{first}:{_IDS}", f"--gidmap=0:{first}:{_IDS}"),
        )
