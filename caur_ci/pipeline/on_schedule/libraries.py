"""Looks at the databases of CI_LIB_DB, and writes down whom a library that moved concerns."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from caur_ci.pipeline.shared.memory.libraries import LOST, LibraryMemory, WaitingBumps
from caur_ci.pipeline.shared.state_branch import read_version_state
from caur_ci.syncdb import SyncDatabaseError
from caur_ci.triggers.databases import look_at_database
from caur_ci.triggers.moves import caught_up, moved_libraries, snapshot_for
from caur_ci.triggers.rules import Dependent, TriggerRules, dependency_names
from caur_ci.triggers.snapshots import parse_version_state, version_state_of
from caur_ci.web import MAX_SIZE, Web, WebResponse, shown_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.refs import RefSnapshot
    from caur_ci.triggers.databases import DatabaseLook
    from caur_ci.triggers.moves import LibraryMove
    from caur_ci.update.recording import Outside
    from caur_ci.update.source import FollowedPackage

_FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryNews:
    """What is known of libraries now.

    `before` is what was remembered, `after` what is to be, with everybody who waits for a bump.
    `published` are the versions in the repository's own database, by pkgbase. `version_state` is
    the file for branch `state`, None to leave it as it is.
    """

    before: LibraryMemory = field(default_factory=LibraryMemory)
    after: LibraryMemory = field(default_factory=LibraryMemory)
    published: Mapping[str, str] = field(default_factory=dict)
    version_state: bytes | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def look_at_libraries(
    context: RunContext, snapshot: RefSnapshot, repository: FollowedRepository, outside: Outside
) -> LibraryNews:
    """Look at the databases. Raises InputError for a branch `caur` that cannot be read."""
    memory = context.shared.memory(snapshot).libraries
    urls = repository.committed.config.lib_db
    if not urls:
        return _unchanged(repository, memory)
    known = memory.snapshots
    configured = frozenset(map(shown_url, urls))

    def look(url: str) -> DatabaseLook:
        there = snapshot_for(shown_url(url), known, configured)
        return look_at_database(url, there, lambda url, headers: _get(url, headers, outside))

    with ThreadPoolExecutor(repository.committed.config.max_parallel) as pool:
        looks = list(pool.map(look, urls))
    state = read_version_state(context.git, snapshot.state)
    seen = parse_version_state(state)
    moves = moved_libraries(looks, known, seen)
    rules = _rules(repository)
    waiting = _still_wanted(memory.waiting, rules, repository)
    waiting = waiting.with_moves((*rules.triggered(moves), *_unreadable(moves, repository)))
    snapshots = caught_up(looks, seen)
    complete = len(snapshots) == len(looks)
    version_state = version_state_of(snapshots, state, complete=complete)
    after = LibraryMemory(waiting=waiting).with_snapshots(snapshots)
    return LibraryNews(
        before=memory,
        after=after,
        published=after.published(repository.committed.config.target_repo),
        version_state=None if version_state == state else version_state,
        notes=tuple(look.note for look in looks if look.note),
        problems=tuple(look.problem for look in looks if look.problem),
    )


def _unchanged(repository: FollowedRepository, memory: LibraryMemory) -> LibraryNews:
    """Return that nothing is new; whoever waits, waits on."""
    waiting = memory.waiting
    if waiting.steps:
        waiting = _still_wanted(waiting, _rules(repository), repository)
    published = memory.published(repository.committed.config.target_repo)
    return LibraryNews(
        before=memory, after=LibraryMemory(memory.versions, waiting), published=published
    )


def _get(url: str, headers: Mapping[str, str], outside: Outside) -> WebResponse:
    if urlsplit(url).scheme == _FILE:
        return _read_file(url, outside)
    # Of its own, since several are looked at at once.
    return Web(adapter=outside.web_adapter, sleep=outside.sleep).get(url, headers=headers)


def _read_file(url: str, outside: Outside) -> WebResponse:
    def read() -> dict[str, str]:
        path = Path(unquote(urlsplit(url).path))
        try:
            if not path.is_file():
                return {"problem": "there is no such file"}
            if path.stat().st_size > MAX_SIZE:
                return {"problem": f"it is larger than {MAX_SIZE} bytes"}
            return {"content": base64.b64encode(path.read_bytes()).decode()}
        except OSError as error:
            return {"problem": error.strerror or repr(error)}

    found = outside.fact(f"library database {url}", read)
    if "problem" in found:
        raise SyncDatabaseError(f"{url}: {found['problem']}")
    return WebResponse(200, {}, base64.b64decode(found["content"]))


def _rules(repository: FollowedRepository) -> TriggerRules:
    config = repository.committed.config
    return TriggerRules(
        map(_dependent, repository.packages.values()),
        everywhere=config.rebuild_triggers,
        never=config.rebuild_blacklist,
    )


def _dependent(package: FollowedPackage) -> Dependent:
    fields = package.fields
    needed = (*fields.run_depends, *fields.makedepends, *fields.checkdepends) if fields else ()
    return Dependent(
        name=package.name,
        triggers=package.config.rebuild_triggers,
        depends=dependency_names(needed),
        pkgnames=fields.pkgnames if fields else (),
    )


def _still_wanted(
    waiting: WaitingBumps, rules: TriggerRules, repository: FollowedRepository
) -> WaitingBumps:
    """Return who waits, without what the configuration does not say any longer."""
    kept = {
        name: tuple(
            it
            for it in steps
            if name in repository.broken
            or it.by == LOST
            or rules.is_wanted(name, it.library, it.by)
        )
        for name, steps in waiting.steps.items()
    }
    return WaitingBumps({name: steps for name, steps in kept.items() if steps})


def _unreadable(
    moves: Sequence[LibraryMove], repository: FollowedRepository
) -> Iterator[tuple[str, LibraryMove, str]]:
    """Yield every move for packages of which nobody knows now what concerns them."""
    for name in repository.broken:
        yield from ((name, move, "") for move in moves)
