"""A history from nothing: what is published tells when it was built, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.history.model import PastJob
from scheduler.job import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.history.history import History
    from scheduler.job import PublishedFile

_REBUILT = "rebuilt"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerPublication:
    """What a package brought into a repository once, and the Unix time of that.

    `generation` is empty where the state that had it first is not kept any more.
    """

    target_repo: str
    arch: str
    pkgbase: str
    source_repo: str
    finished: float
    files: tuple[PublishedFile, ...]
    generation: str = ""

    @property
    def identity(self) -> str:
        """`target_repo/arch/pkgbase`."""
        return f"{self.target_repo}/{self.arch}/{self.pkgbase}"


def is_rebuilt(history: History) -> bool:
    """Tell whether `rebuild` was called with this history."""
    return bool(history.recall(_REBUILT))


def rebuild(history: History, publications: Iterable[FormerPublication]) -> int:
    """Write down what the history does not know of; return how much that was.

    The jobs have negative ids, the newest the highest. Raises TemporaryError.
    """
    known = history.published_files()
    missing = sorted(
        (
            publication
            for publication in publications
            if not any((publication.identity, file.filename) in known for file in publication.files)
        ),
        key=lambda publication: (publication.finished, publication.identity),
    )
    first = history.lowest_job() - len(missing)
    jobs = [_job_of(publication, first + place) for place, publication in enumerate(missing)]
    history.record(jobs, **{_REBUILT: "yes"})
    return len(jobs)


def _job_of(publication: FormerPublication, job_id: int) -> PastJob:
    return PastJob(
        job_id=job_id,
        target_repo=publication.target_repo,
        arch=publication.arch,
        pkgbase=publication.pkgbase,
        source_repo=publication.source_repo,
        commit="",
        build_class="",
        outcome=Outcome.SUCCESS,
        finished=publication.finished,
        generation=publication.generation,
        files=publication.files,
    )
