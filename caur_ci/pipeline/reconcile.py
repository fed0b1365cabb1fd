"""What should be published and is not, and what is and should not: HEAD against the repository.

Nothing of this is needed as long as all goes well: what was asked for is in the outbox or in the
queue until it is published. It is for the day on which a server was restored from an old backup.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from caur_ci.expectation import FILES, usable_expectations
from caur_ci.pipeline.shared.memory.holds import Holds
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from caur_ci.expectation import Expectation
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository


class Standing(StrEnum):
    """How a package stands, where not as it should."""

    MISSING = "missing"  # nothing of it is published, or not all of it
    OUTDATED = "outdated"  # an older version is published
    FAILED = "failed"  # as one of these, and its latest job says why
    HELD = "held"  # as one of these, and it is to stay so: it is on hold
    EXTRA = "extra"  # it is published, and no folder makes it


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A package that is not as it should be: a folder, or for EXTRA a published package."""

    package: str
    standing: Standing
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSide:
    """What the build side has of a repository for the architecture `arch`.

    `published` are versions by pkgname, `queued` the folders that have a job which is not done, and
    `failed` says of folders why their latest job failed.
    """

    arch: str
    published: Mapping[str, str]
    queued: Collection[str] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


def discrepancies(
    repository: CommittedRepository, build_side: BuildSide, holds: Holds | None = None
) -> list[Discrepancy]:
    """Compare the packages of `repository` with what the build side has.

    Folders that cannot be judged, because their `.SRCINFO` or configuration cannot be used, are
    left out: `on-commit` tells of these. As long as there are any, nothing is EXTRA.
    """
    expected = _expectations(repository)
    found = [
        _unless_held(one, holds or Holds()) for one in _of_folders(repository, expected, build_side)
    ]
    if set(repository.folders.packages) - expected.keys() - repository.empty:
        return found
    made = {name for one in expected.values() for name in _names(one)}
    found += (
        Discrepancy(name, Standing.EXTRA, f"{version} is published, and no folder makes it")
        for name, version in sorted(build_side.published.items())
        if name not in made
    )
    return found


def _of_folders(
    repository: CommittedRepository, expected: Mapping[str, Expectation], build_side: BuildSide
) -> Iterator[Discrepancy]:
    targets = repository.build_targets(expected)
    for folder, one in expected.items():
        if not any(target.reaches(build_side.arch) for target in targets[folder]):
            continue
        standing, reason = _standing(one, build_side.published)
        if standing is None or folder in build_side.queued:
            continue
        if folder in build_side.failed:
            reason = f"{reason}; its latest job: {build_side.failed[folder]}"
            standing = Standing.FAILED
        yield Discrepancy(folder, standing, reason)


def _unless_held(one: Discrepancy, holds: Holds) -> Discrepancy:
    hold = holds.get(one.package)
    if hold is None:
        return one
    return Discrepancy(one.package, Standing.HELD, f"{hold}; {one.reason}")


def _standing(expected: Expectation, published: Mapping[str, str]) -> tuple[Standing | None, str]:
    missing = sorted(expected.pkgnames - published.keys())
    if missing:
        return Standing.MISSING, f"not published: {', '.join(missing)}"
    if expected.epoch is None or expected.pkgrels is None:
        return None, ""  # interfere files give it a version that only a build knows
    epoch = f"{expected.epoch}:" if expected.epoch else ""
    wanted = f"{epoch}{expected.pkgver}-{min(expected.pkgrels)}"
    behind = sorted(name for name in expected.pkgnames if vercmp(published[name], wanted) < 0)
    if behind:
        versions = ", ".join(f"{name} {published[name]}" for name in behind)
        return Standing.OUTDATED, f"published is {versions}, the repository has {wanted}"
    return None, ""


def _names(expected: Expectation) -> set[str]:
    return {*expected.pkgnames, f"{expected.pkgbase}-debug"}


def _expectations(repository: CommittedRepository) -> dict[str, Expectation]:
    return usable_expectations(repository.folders.contents(FILES))
