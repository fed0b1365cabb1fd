"""The file `.ci/aur-state`, by which the existing system knows up to when it has seen the AUR.

It holds one time in Unix seconds, for all packages at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.update.source import FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate

AUR_STATE = ".ci/aur-state"
_UNFINISHED = frozenset({ScheduleAction.WAITING, ScheduleAction.FAILED})


def read_watermark(git: GitRepository, commit: str) -> int:
    """Return the time at a commit, 0 where there is none."""
    (data,) = git.read_blobs([f"{commit}:{AUR_STATE}"])
    text = (data or b"").strip()
    return int(text) if text.isdigit() and len(text) < 20 else 0


def watermark_after(planned: Iterable[PlannedUpdate], before: int) -> int:
    """Return up to when the existing system may take the AUR as seen, 0 to leave it as it is.

    It must not pass anything that was not taken over yet.
    """
    followed = [one for one in planned if _is_of_aur(one)]
    if any(_is_unfinished(one) or _is_frozen(one) for one in followed):
        return 0
    times = (one.seen.modified if one.seen else one.package.seen.modified for one in followed)
    newest = max(times, default=0)
    return newest if newest > before else 0


def with_watermark(
    git: GitRepository, entries: Mapping[str, TreeEntry], watermark: int
) -> dict[str, TreeEntry]:
    """Return the top folder `entries` with the time `watermark`, where times are kept there."""
    folder, _, name = AUR_STATE.partition("/")
    if not watermark or folder not in entries or not entries[folder].is_folder:
        return dict(entries)
    inner = {entry.name: entry for entry in git.entries(entries[folder].object_id)}
    blob = git.write_blob(f"{watermark}\n".encode())
    inner[name] = TreeEntry(FILE_MODE, blob, name)
    return {
        **entries,
        folder: replace(entries[folder], object_id=git.write_tree(inner.values())),
    }


def _is_unfinished(planned: PlannedUpdate) -> bool:
    """Tell whether there may be new files that were not taken over.

    What went wrong with an upstream repository says nothing about the AUR, and a build for new
    commits there nothing about files that could not be had.
    """
    if planned.files in {FindingKind.UNCHANGED, FindingKind.GONE}:
        return False
    unfinished = planned.files in {FindingKind.WAITING, FindingKind.FAILED}
    return unfinished or planned.decision.action in _UNFINISHED


def _is_frozen(planned: PlannedUpdate) -> bool:
    """Tell whether there may be something new that is left where it is."""
    return planned.decision.action is ScheduleAction.HELD and planned.seen is None


def _is_of_aur(planned: PlannedUpdate) -> bool:
    source = planned.package.config.source
    return source is not None and source.kind == "aur"
