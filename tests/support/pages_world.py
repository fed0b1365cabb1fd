"""A queue, a history and logs with a bit of everything, as pages show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.history import PublishedFile
from scheduler.job import FailureClass, Outcome, Usage
from tests.support.past import past_job
from tests.support.queue import claimed, job, submit, worker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.history import History, PastJob
    from scheduler.logs import LogStore
    from scheduler.queue import Claim, Queue

HOUR = 3600.0
LOG = (
    b"==> Making package: slicer 2.9.1-1\r\n"
    b"  -> Downloading slicer-2.9.1.tar.gz...\r\n"
    b"10%\r55%\r100% done\r\n"
    b"\x1b[1;32m==>\x1b[0m Starting build()...\r\n"
    b"[1/3] \x1b[36mBuilding\x1b[0m CXX object src/<main>.cpp.o\r\n"
    b"\x1b[31msrc/main.cpp:42:7: error:\x1b[0m 'frobnicate' was not declared & \"quoted\"\r\n"
    b"==> caur-ci: interfere: PKGBUILD.append\r\n"
    b"==> caur-ci: namcap says:\r\nslicer E: Missing <license>\r\n"
    b"==> caur-ci: ended: success\r\n"
)
FAILED_LOG = (
    LOG[: LOG.index(b"==> caur-ci: interfere")] + b"   42 |   frobnicate(1);\r\n"
    b"make: *** [Makefile:3: all] Error 1\r\n"
    b"==> ERROR: A failure occurred in build().\r\n"
    b"    Aborting...\r\n"
)


def built_job(job_id: int, pkgbase: str, finished: float, **fields: Any) -> PastJob:  # noqa: ANN401
    """Return a job that was built within ten minutes and published a file."""
    file = PublishedFile(
        name=pkgbase,
        version=f"{job_id}-1",
        filename=f"{pkgbase}-{job_id}-1-x86_64.pkg.tar.zst",
        size=(5 + job_id) * 1024**2,
    )
    values: dict[str, Any] = {
        "tree": "7" * 40,
        "submitted": finished - 1000,
        "started": finished - 660,
        "landed": finished - 60,
        "finished": finished,
        "usage": Usage(peak_memory=512 * 1024**2, cpu_seconds=900.0),
        "generation": str(job_id),
        "files": (file,),
    }
    return past_job(job_id, pkgbase, **(values | fields))


def failed_job(job_id: int, pkgbase: str, finished: float, **fields: Any) -> PastJob:  # noqa: ANN401
    """Return a job that failed while it was compiled."""
    given: dict[str, Any] = {
        "outcome": Outcome.FAILED,
        "failure": FailureClass.COMPILE,
        "reason": "build() ended with exit code 4",
        "landed": 0.0,
        "generation": "",
        "files": (),
    }
    return built_job(job_id, pkgbase, finished, **(given | fields))


def fill_history(history: History, now: float, *, names: Iterable[str] = ("slicer", "lib")) -> None:
    """Write down some weeks of builds; ids are above those of the queue's own jobs."""
    jobs = []
    number = 1000
    for place, name in enumerate(names):
        for week in range(8, 0, -1):
            number += 1
            when = now - week * 7 * 24 * HOUR + place * HOUR
            length = 300.0 + 60 * week
            if week == 3:
                jobs.append(failed_job(number, name, when))
                continue
            jobs.append(
                built_job(
                    number,
                    name,
                    when,
                    started=when - length - 60,
                    usage=Usage(peak_memory=(200 + 40 * week) * 1024**2, cpu_seconds=2 * length),
                )
            )
    history.record(jobs)


def fill_queue(queue: Queue, logs: LogStore) -> dict[str, Claim]:
    """Put jobs into the queue in all states; return the claims of those that run."""
    builder, other, small = worker("tower", 9), worker("closet", 2), worker("attic", 1)
    submit(queue, job("broken-app"), job("fine-app"))
    results = [
        (Outcome.SUCCESS, None, ""),
        (Outcome.FAILED, FailureClass.COMPILE, "build() failed"),
    ]
    done = [claimed(queue, builder), claimed(queue, other)]
    by_name = {claim.spec.pkgbase: claim for claim in done}
    for name, (outcome, failure, reason) in zip(("fine-app", "broken-app"), results, strict=True):
        claim = by_name[name]
        logs.start(claim.job_id, claim.attempt, claim.identity)
        logs.append(claim.job_id, claim.attempt, FAILED_LOG if failure else LOG)
        logs.finish(claim.job_id, claim.attempt)
        queue.finish(claim, outcome, reason, failure=failure)
    submit(queue, job("lib"))
    running = claimed(queue, builder)
    logs.start(running.job_id, running.attempt, running.identity)
    logs.append(running.job_id, running.attempt, LOG)
    submit(queue, job("slicer", "lib", reason="upstream has 2.9.1"), job("huge", build_class="9"))
    submit(queue, job("named", build_class="catbuilder"), job("small-one"))
    queue.claim(small)
    return {running.spec.pkgbase: running}
