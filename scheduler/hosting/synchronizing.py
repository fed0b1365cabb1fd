"""What has to change at a publishing target so that readers find there what is published here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.database.hosted import HostedFile, HostedFiles
from scheduler.hosting.protocol import Change, TargetError, Upload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A file to be at the target: its content, and where that is; None where it is there only."""

    size: int
    sha256: str
    source: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedHere:
    """What is published of one repository, by path below its folder.

    `packages` are those that databases list, with signatures; `documents` what belongs to them
    without being read before a database is. `databases` come last, those that readers ask for
    after their `archives`: so that one of both fits its signature, whenever an upload is killed.
    """

    repository: str
    packages: Mapping[str, LocalFile]
    documents: Mapping[str, LocalFile]
    archives: Mapping[str, LocalFile]
    databases: Mapping[str, LocalFile]

    @property
    def stages(self) -> tuple[Mapping[str, LocalFile], ...]:
        """All files, in the order in which they come."""
        return (self.packages, self.documents, self.archives, self.databases)


@dataclass(frozen=True, slots=True)
class Synchronization:
    """What to change, and what is at the target afterwards.

    `announced` is what to tell the target before: that it may have what is uploaded, so that what a
    run leaves behind that is killed is known to the next one.
    """

    change: Change
    announced: HostedFiles
    hosted: HostedFiles

    @property
    def is_empty(self) -> bool:
        """Whether the target has all of it."""
        return not any(self.change.stages) and not self.change.removals

    @property
    def uploads(self) -> int:
        """How many files go there."""
        return sum(map(len, self.change.stages))


def synchronization(
    here: PublishedHere,
    there: Mapping[str, int],
    hosted: HostedFiles,
    *,
    grace: float,
    now: float,
) -> Synchronization:
    """Plan how a target gets what is published.

    `there` is what the target lists, with sizes, `hosted` what it was told to have. Packages that
    are listed no more stay for `grace` seconds. Raises TargetError where a listed package is
    neither here nor there.
    """
    stages = []
    coming: dict[str, HostedFile] = {}
    for files in here.stages:
        differing = {
            name: file
            for name, file in files.items()
            if not _is_there(f"{here.repository}/{name}", file, there, hosted.files.get(name))
        }
        _check_present(here.repository, differing)
        coming |= {name: HostedFile(size=it.size, sha256="") for name, it in differing.items()}
        stages.append(
            tuple(
                Upload(path=f"{here.repository}/{name}", source=file.source)
                for name, file in differing.items()
                if file.source is not None
            )
        )
    wanted = {name: file for files in here.stages for name, file in files.items()}
    gone = {
        name: HostedFile(size=file.size, sha256=file.sha256, unlisted=file.unlisted or now)
        for name, file in hosted.files.items()
        if name not in wanted
    }
    # Until it is seen to be gone: whoever removes it may be killed.
    gone = {name: file for name, file in gone.items() if f"{here.repository}/{name}" in there}
    over = [name for name, file in gone.items() if file.unlisted + grace <= now]
    listed = {name: HostedFile(size=it.size, sha256=it.sha256) for name, it in wanted.items()}
    return Synchronization(
        Change(
            stages=tuple(stages),
            removals=tuple(f"{here.repository}/{name}" for name in over),
        ),
        HostedFiles({**hosted.files, **coming}),
        HostedFiles({**gone, **listed}),
    )


def _is_there(
    path: str, file: LocalFile, there: Mapping[str, int], hosted: HostedFile | None
) -> bool:
    if there.get(path) != file.size:
        return False
    return hosted is not None and (hosted.size, hosted.sha256) == (file.size, file.sha256)


def _check_present(repository: str, differing: Mapping[str, LocalFile]) -> None:
    lost = [name for name, file in differing.items() if file.source is None]
    if lost:
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise TargetError(
            f"{repository}: {', '.join(lost[:_SHOWN])}{more} are listed, but neither here nor at "
            "the publishing target",
            hint="Build these packages again, or bring the files back; nothing was changed there.",
        )
