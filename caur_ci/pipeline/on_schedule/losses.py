"""Packages that have lost a library or an interpreter wait for a bump like those that name one."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from caur_ci.errors import CaurError
from caur_ci.pipeline.rebuilds import GONE, moves_of, rules_of
from caur_ci.pipeline.shared.memory.libraries import LOST, WaitingBumps
from caur_ci.rebuild import RebuildLook, RebuildLooker, RebuildRules, RebuildState
from caur_ci.rebuild.detection import shown_name
from caur_ci.triggers.moves import LibraryMove
from caur_ci.web import Web

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.on_schedule.libraries import LibraryNews
    from caur_ci.update.recording import Outside

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What is lost.

    `linkage` is to be remembered. `moves` are for packages, by folder, that are to be rebuilt, each
    from the package that had the library to nowhere. `lost` are the names of all that is lost.
    """

    linkage: bytes
    moves: Sequence[tuple[str, LibraryMove]] = ()
    lost: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def look_at_losses(repository: FollowedRepository, before: bytes, outside: Outside) -> Losses:
    """Look at the databases and at the index of the published repository, where one is configured.

    `before` is what is remembered. What cannot be looked at is a problem, and leaves that as it is.
    """
    if not repository.committed.config.repo_db:
        return Losses(linkage=before)
    # One answer: the databases would be much to record, and are read anew only where they changed.
    found = outside.fact("losses", lambda: _look(repository, before))
    return Losses(
        linkage=found["linkage"].encode("utf-8", "surrogateescape"),
        moves=[
            (folder, LibraryMove(library=library, before=by, after=GONE))
            for folder, library, by in found["moves"]
        ],
        lost=frozenset(found["lost"]),
        notes=tuple(found["notes"]),
        problems=tuple(found["problems"]),
    )


def with_losses(news: LibraryNews, losses: Losses) -> LibraryNews:
    """Return the news with the packages that are to be rebuilt among those that wait.

    Who waits for something that is there again waits no longer.
    """
    kept = {
        name: tuple(it for it in steps if it.by != LOST or it.library in losses.lost)
        for name, steps in news.after.waiting.steps.items()
    }
    waiting = WaitingBumps({name: steps for name, steps in kept.items() if steps})
    waiting = waiting.with_moves((folder, move, LOST) for folder, move in losses.moves)
    return replace(
        news,
        after=replace(news.after, waiting=waiting, linkage=losses.linkage),
        notes=(*news.notes, *losses.notes),
        problems=(*news.problems, *losses.problems),
    )


def _look(repository: FollowedRepository, before: bytes) -> dict[str, Any]:
    config = repository.committed.config
    rules = rules_of(repository.committed)
    state = RebuildState.from_bytes(before)
    problems: list[str] = []
    try:
        look = RebuildLooker(config, rules, Web()).look(state, now=time.time())
    except (CaurError, OSError) as error:
        problems.append(f"whether packages have lost libraries is not known: {error}")
        look = RebuildLook(state=state)
    after = look.asked() if config.rebuild_auto else look.state
    notes = [*look.notes]
    if not config.rebuild_auto and look.to_rebuild:
        notes.append(_recommended(look))
    return {
        "linkage": after.to_bytes().decode("utf-8", "surrogateescape"),
        "moves": _moves(look, rules) if config.rebuild_auto else [],
        "lost": sorted(_names(after)),
        "notes": notes,
        "problems": problems,
    }


def _names(state: RebuildState) -> set[str]:
    damages = (damage.label for some in state.damages.values() for damage in some)
    return {*map(shown_name, state.losses), *damages}


def _moves(look: RebuildLook, rules: RebuildRules) -> list[tuple[str, str, str]]:
    return [
        (folder, move.library, move.before)
        for folder, moves in moves_of(look.broken, rules).items()
        for move in moves
    ]


def _recommended(look: RebuildLook) -> str:
    names = sorted(look.to_rebuild)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"packages have lost a library or an interpreter: {', '.join(names[:_SHOWN])}{more}; "
        "`caur-ci broken` tells more, and with CI_REBUILD_AUTO=true they are rebuilt"
    )
