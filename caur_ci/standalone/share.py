"""What of the outbox a run takes: what its workers build for, and what waits for nobody else's.

A package for any architecture is built once, maybe on another machine. What needs it would be built
without it, or not at all, if this run did not leave that for later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from scheduler.job import jobs_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from caur_ci.request import BuildRequest
    from scheduler.job import JobSpec

# The id of a request, architecture and folder.
Build: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Share:
    """The requests without what this run does not build, and why each of that is `left`."""

    requests: tuple[BuildRequest, ...]
    left: Mapping[Build, str]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is for this run."""
        return all(it.is_empty for it in self.requests)

    @property
    def reasons(self) -> dict[str, str]:
        """Why something is left, by folder."""
        return {folder: why for (_, _, folder), why in self.left.items()}


def share_of(requests: Iterable[BuildRequest], architectures: Collection[str]) -> Share:
    """Return what workers for `architectures` build of `requests`.

    The class of a build does not matter: there are no other workers than ours.
    """
    requests = tuple(requests)
    jobs = {_build(request, spec): spec for request in requests for spec in jobs_of(request)}
    left = {
        build: f"nothing is built for {spec.arch} here"
        for build, spec in jobs.items()
        if spec.arch not in architectures
    }
    while more := _waiting(jobs, left):
        left |= more
    return Share(tuple(_without(request, left) for request in requests), left)


def _waiting(jobs: Mapping[Build, JobSpec], left: Mapping[Build, str]) -> dict[Build, str]:
    """Return what needs something that is left, and is not left itself."""
    makers = {
        (jobs[build].target_repo, arch, name): jobs[build].pkgbase
        for build in left
        for arch in (jobs[build].arch, *jobs[build].shared_with)
        for name in (*jobs[build].pkgnames, *jobs[build].provides)
    }
    found = {}
    for build, spec in jobs.items():
        needed = (makers.get((spec.target_repo, spec.arch, name)) for name in spec.depends)
        maker = next(filter(None, needed), None)
        if maker is not None and build not in left:
            found[build] = f"it needs {maker}, which is left as well"
    return found


def _without(request: BuildRequest, left: Collection[Build]) -> BuildRequest:
    packages = zip(request.packages, jobs_of(request), strict=True)
    ours = (package for package, spec in packages if _build(request, spec) not in left)
    return replace(request, packages=tuple(replace(it, build_class=None) for it in ours))


def _build(request: BuildRequest, spec: JobSpec) -> Build:
    return request.request_id, spec.arch, spec.pkgbase
