"""Puts the Lua scripts together."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

# Which parts a script needs besides its own file; Redis has no way for one to load another.
_ORDER = ("common", "order")
_PLACES = (*_ORDER, "places")
_CHANGE = (*_PLACES, "cycles", "groups", "ending", "grouping")
_REQUEST = (*_CHANGE, "admission", "canceling")
_VIEW = (*_ORDER, "viewing")
_REMOVALS = ("common", "removals")
_DELIVERIES = (*_REMOVALS, "delivering")
_PARTS: dict[str, tuple[str, ...]] = {
    "submit": (*_REQUEST, "requests"),
    "submit_staged": (*_REQUEST, "requests", "intake"),
    "take_in": (*_REQUEST, "requests", "intake", "restoring"),
    "claim": _PLACES,
    "renew": ("common",),
    "land": _CHANGE,
    "finish": _CHANGE,
    "release": (*_CHANGE, "handback"),
    "reap": (*_CHANGE, "handback"),
    "claim_landed": _DELIVERIES,
    "claim_group": _DELIVERIES,
    "stage": (*_CHANGE, "handback"),
    "claim_removals": _REMOVALS,
    "finish_removal": (*_CHANGE, "canceling"),
    "hold_removal": _REMOVALS,
    "settle_held": _REMOVALS,
    "leave": ("common",),
    "register": ("common",),
    "skip_ids": ("common",),
    "cancel": (*_CHANGE, "targets", "canceling"),
    "retry": (*_CHANGE, "targets", "admission"),
    "promote": (*_PLACES, "viewing", "targets"),
    "proceed": (*_CHANGE, "targets"),
    "settle_group": (*_CHANGE, "canceling"),
    "pause": ("common",),
    "resume": ("common",),
    "drain": ("common",),
    "reset": (*_ORDER, "intake"),
    "restore": (*_ORDER, "intake"),
    # Looks that only make sense of one instant, or that follow dependencies step by step: from
    # outside each step would be a round trip, and jobs would move in between.
    "snapshot": _VIEW,
    "view_groups": _VIEW,
    "explain": (*_VIEW, "targets"),
    "backup": (*_ORDER, "copying"),
    "backup_jobs": (*_ORDER, "copying"),
    "backup_end": ("common",),
    "open": ("common",),
    "append_log": (),
    "drop_log": (),
}
# Scripts whose first argument is the protocol of the caller; `claim` and `claim_landed` check it
# together with what else they have to look at first.
_CHECKED = frozenset(
    {
        *("submit", "submit_staged", "claim_removals", "claim_group", "settle_held"),
        *("settle_group", "retry", "restore", "skip_ids"),
    }
)
# Scripts that also run while something is taken in a part at a time, because they are what does so,
# end it, or have nothing to do with which jobs there are.
_OPEN = frozenset(
    {"take_in", "reset", "backup_jobs", "backup_end", "renew", "append_log", "drop_log"}
)


def script_names() -> list[str]:
    """Return the names of all scripts."""
    return list(_PARTS)


@cache
def script_text(name: str) -> tuple[str, str]:
    """Return the script `name` with all that it needs, and the hash Redis knows it by."""
    text = assemble(_PARTS[name], _file(name), is_checked=name in _CHECKED, is_open=name in _OPEN)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def assemble(
    parts: tuple[str, ...], body: str, *, is_checked: bool = False, is_open: bool = False
) -> str:
    """Return a script that runs `body` after its parts.

    With `is_checked` it is refused where the queue follows another protocol, without `is_open`
    while the queue is closed. Whatever the body did, jobs that changed are put where they belong
    afterwards: no script can forget it.
    """
    call = "other_protocol(ARGV[1]) or main()" if is_checked else "main()"
    call = call if is_open else f"closed() or {call}"
    end = f"settled({call})" if "places" in parts else call
    main = f"local function main()\n{body}\nend"
    return "\n".join([*map(_file, parts), main, f"return {end}\n"])


def _file(name: str) -> str:
    folder = resources.files("scheduler.queue.lua")
    return folder.joinpath(f"{name}.lua").read_text(encoding="utf-8")
