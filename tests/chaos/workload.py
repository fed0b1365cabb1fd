"""The requests of a run: batches of jobs with dependencies, some of them for the same packages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.job import JobSpec, OnFailure, OnRunning, Removal
from tests.chaos.settings import POISON, worker_name

if TYPE_CHECKING:
    import random

    from tests.chaos.settings import Settings

_SCOPES = (("stable", "x86_64"), ("stable", "aarch64"), ("testing", "x86_64"))
# Each worker builds for all of them.
ARCHITECTURES = tuple(sorted({arch for _, arch in _SCOPES}))
_BATCH_SIZES = (1, 2, 5, 12, 25, 60)
_COMMIT = "c0ffee" * 6 + "cafe"
_CLASSES = {"1": 50, "2": 25, "3": 15, worker_name(0): 10}
# The packages of low numbers that provide the same name besides their own.
_VIRTUAL = 8
_WITH_REMOVAL = 0.15
# Of all requests.
_CANCELING = 0.2
# Of all jobs.
_HOLDING, _POISONED = 0.2, 0.01


@dataclass(frozen=True, slots=True)
class Request:
    """What one submitter hands over at once."""

    id: str
    jobs: tuple[JobSpec, ...]
    removals: tuple[Removal, ...] = ()
    on_running: OnRunning = OnRunning.FOLLOW


@dataclass(frozen=True, slots=True)
class _Package:
    """What a package is called; the same in every request, unlike what it depends on."""

    number: int
    base: str
    scope: tuple[str, str]
    names: tuple[str, ...]
    provides: tuple[str, ...]


def workload(settings: Settings) -> list[list[Request]]:
    """Return the requests of each submitter, `settings.jobs` jobs in all."""
    chance = settings.chance("workload")
    # Fewer than jobs: many requests meet a pending or a running job of the same package.
    packages = [_package(chance, number) for number in range(max(12, settings.jobs * 6 // 10))]
    requests: list[list[Request]] = [[] for _ in range(settings.submitters)]
    left, number = settings.jobs, 0
    while left > 0:
        size = min(left, chance.choice(_BATCH_SIZES))
        batch = chance.sample(packages, min(size, len(packages)))
        removals = _removals(chance, packages) if chance.random() < _WITH_REMOVAL else ()
        requests[number % len(requests)].append(
            Request(
                id=f"request-{settings.seed}-{number}",
                jobs=tuple(_job(settings, chance, package, batch, packages) for package in batch),
                removals=removals,
                on_running=OnRunning.CANCEL if chance.random() < _CANCELING else OnRunning.FOLLOW,
            )
        )
        left, number = left - len(batch), number + 1
    return requests


def _package(chance: random.Random, number: int) -> _Package:
    scope = _SCOPES[number % len(_SCOPES)]
    # The same names in every scope, where they must not be taken for one another.
    base = f"pkg{number // len(_SCOPES)}"
    names = (base, f"{base}-docs") if chance.random() < 0.2 else (base,)
    provides = (f"lib{base}.so", "virtual") if number < _VIRTUAL else (f"lib{base}.so",)
    return _Package(number, base, scope, names, provides)


def _job(
    settings: Settings,
    chance: random.Random,
    package: _Package,
    batch: list[_Package],
    packages: list[_Package],
) -> JobSpec:
    depends = ["glibc"]
    for _ in range(chance.choice((0, 1, 2, 3, 5))):
        near = batch if chance.random() < 0.6 else packages
        upward = chance.random() < settings.cycles
        others = [
            other
            for other in near
            if other.scope == package.scope and (other.number < package.number or upward)
        ]
        if others:
            other = chance.choice(others)
            depends.append(chance.choice((other.base, *other.names, *other.provides)))
    target_repo, arch = package.scope
    (build_class,) = chance.choices(list(_CLASSES), list(_CLASSES.values()))
    return JobSpec(
        pkgbase=package.base,
        target_repo=target_repo,
        source_repo="source",
        commit=_COMMIT,
        arch=arch,
        build_class=build_class,
        pkgnames=package.names,
        provides=package.provides,
        depends=tuple(depends),
        reason=POISON if chance.random() < _POISONED else "",
        on_failure=OnFailure.HOLD if chance.random() < _HOLDING else OnFailure.PROCEED,
    )


def _removals(chance: random.Random, packages: list[_Package]) -> tuple[Removal, ...]:
    package = chance.choice(packages)
    target_repo, arch = package.scope
    return (Removal(target_repo=target_repo, arch=arch, remove=(package.base,)),)
