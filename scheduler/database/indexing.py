"""Looks into packages that were published before there was an index, or while nobody wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.database.linkage import LinkageIndex, describe
from scheduler.database.repository import open_repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler.database.layout import Layout
    from scheduler.database.linkage import Description

# So much is done again where the work is interrupted.
_AT_ONCE = 25


@dataclass(slots=True)
class Indexed:
    """What was looked into: how many packages, and what is wrong with some, by file."""

    packages: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def index_published(
    layout: Layout,
    *,
    begin: Callable[[int], None] = lambda _: None,
    advance: Callable[[], None] = lambda: None,
) -> Indexed:
    """Bring the index of a repository up to date.

    `begin` is told how many files there are to look into, `advance` that one more is done. Others
    may publish meanwhile; what was done stays done if the work is interrupted. Raises CaurError and
    OSError.
    """
    index, done = LinkageIndex(layout), Indexed()
    with open_repository(layout) as repository:
        missing = index.missing(repository.entries())
        index.follow(repository.entries(), ())
    begin(len(missing))
    for start in range(0, len(missing), _AT_ONCE):
        found: list[Description] = []
        for entry in missing[start : start + _AT_ONCE]:
            advance()
            try:
                package = describe(layout.folder / entry.filename, entry)
            except FileNotFoundError:
                done.problems[entry.filename] = "the file is not there"
                continue
            found.append(package)
            if package.linkage.problem:
                done.problems[entry.filename] = package.linkage.problem
        with open_repository(layout) as repository:
            index.follow(repository.entries(), found)
        done.packages += len(found)
    return done
