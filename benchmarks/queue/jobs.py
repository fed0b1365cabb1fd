"""The jobs that are measured with."""

from __future__ import annotations

import random

from scheduler.job import JobSpec


def job(number: int, *depends: str) -> JobSpec:
    """Return the job of one package."""
    name = f"package{number}"
    return JobSpec(
        pkgbase=name,
        target_repo="target",
        source_repo="source",
        commit=f"{number:040x}",
        pkgnames=(name,),
        depends=depends,
    )


def plain(count: int) -> list[JobSpec]:
    """Return jobs that need nothing."""
    return [job(number) for number in range(count)]


def pairs(count: int, *, first: int = 0) -> list[JobSpec]:
    """Return jobs of which every second waits for the one before."""
    return [
        job(number, f"package{number - 1}") if number % 2 else job(number)
        for number in range(first, first + count)
    ]


def web(count: int, dependencies: int) -> list[JobSpec]:
    """Return jobs with that many dependencies among themselves, on packages before them."""
    chance = random.Random(count)
    needs: list[set[int]] = [set() for _ in range(count)]
    left = dependencies
    while left:
        number = chance.randrange(1, count)
        other = chance.randrange(number)
        if other not in needs[number]:
            needs[number].add(other)
            left -= 1
    return [
        job(number, *(f"package{other}" for other in sorted(others)))
        for number, others in enumerate(needs)
    ]
