"""How long pages take, with a large repository, a long queue and a long past."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from benchmarks.generate import write_packages
from benchmarks.measure import BenchmarkError
from benchmarks.queue.server import private_server
from benchmarks.repositories import git
from caur_ci.pipeline.facts import FollowedFacts, Mirror
from scheduler.history import BuildLogs, History, PastJob
from scheduler.job import FailureClass, JobSpec, Outcome
from scheduler.logs import LogStore
from scheduler.queue import Queue
from scheduler.settings import WebSettings
from scheduler.web.server import running_server
from scheduler.web.services import WebServices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis import Redis

_LINE = b"\x1b[32m[ 42%%]\x1b[0m Building CXX object src/some/where/file_%07d.cpp.o\r\n"
_COMMIT = "c0ffee" * 6 + "cafe"
_REPO, _ARCH = "bench", "x86_64"
# Beyond the jobs of the past.
_LOGGED = 10**9
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many packages and jobs there are, and how large the log is, in MB."""

    packages: int = 3000
    waiting: int = 1000
    past: int = 20_000
    log: int = 60


def pages_rows(sizes: Sizes | None = None) -> Iterator[tuple[str, str]]:
    """Measure each page for who asks first, and at best."""
    sizes = sizes or Sizes()
    with tempfile.TemporaryDirectory(prefix="caur-bench-") as made, private_server() as redis:
        folder = Path(made)
        facts = _facts(folder, sizes.packages)
        begun = time.perf_counter()
        facts.renew()
        yield f"{sizes.packages} packages read", f"{time.perf_counter() - begun:.1f} s"
        names = [package.pkgbase for package in facts.packages()]
        queue, logs = Queue(redis.client), _logs(redis.client, sizes.log)
        queue.submit("bench", [_job(name) for name in names[: sizes.waiting]])
        with History.open(folder / "history") as history:
            history.record(_past(names, sizes.past))
            services = WebServices(
                queue=queue, logs=BuildLogs(logs, history), history=history, facts=facts
            )
            with running_server(services, WebSettings(port=0, log_requests=False)) as server:
                yield from _asked(server.address, names[0])


def _asked(address: str, name: str) -> Iterator[tuple[str, str]]:
    log = f"/log/{_LOGGED}/1"
    paths = (
        *("/", "/waiting", "/packages", "/builds", "/failing", "/failures?days=365"),
        *("/dependencies", f"/package/{_REPO}/{_ARCH}/{name}", "/build/7"),
        *(log, f"{log}/lines?from=1000", f"{log}/search?q=nothing+of+the+kind"),
    )
    with httpx.Client(base_url=address, timeout=300) as client:
        for path in paths:
            times = [_one(client, path) for _ in range(_TRIES)]
            yield path, f"{times[0] * 1000:.0f} ms, then {min(times) * 1000:.0f} ms"


def _one(client: httpx.Client, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    if answer.status_code != httpx.codes.OK:
        raise BenchmarkError(f"{path} was answered with {answer.status_code}")
    return time.perf_counter() - begun


def _facts(folder: Path, packages: int) -> FollowedFacts:
    source = folder / "packages"
    (source / ".ci").mkdir(parents=True)
    (source / ".ci/config").write_text(f"REPO_NAME={_REPO}\n", encoding="utf-8")
    write_packages(source, packages)
    git(source, "init", "--quiet", "--initial-branch=main")
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message=feat: begin")
    return FollowedFacts([Mirror(folder / "mirror", _REPO, source.as_uri())])


def _logs(redis: Redis, size: int) -> LogStore:
    logs = LogStore(redis)
    logs.start(_LOGGED, 1, f"{_REPO}/{_ARCH}/logged")
    number = 0
    for _ in range(size):
        part = b"".join(_LINE % (number + line) for line in range(1_000_000 // len(_LINE)))
        number += 1_000_000 // len(_LINE)
        logs.append(_LOGGED, 1, part)
    logs.finish(_LOGGED, 1)
    return logs


def _job(name: str) -> JobSpec:
    return JobSpec(
        pkgbase=name, target_repo=_REPO, source_repo=_REPO, commit=_COMMIT, pkgnames=(name,)
    )


def _past(names: Sequence[str], jobs: int) -> Iterator[PastJob]:
    """Yield jobs one after another, the last one now; one in seven failed."""
    end = time.time()
    for number in range(1, jobs + 1):
        finished = end - 60.0 * (jobs - number)
        failed = number % 7 == 0
        yield PastJob(
            job_id=number,
            target_repo=_REPO,
            arch=_ARCH,
            pkgbase=names[number * 31 % len(names)],
            source_repo=_REPO,
            commit=_COMMIT,
            build_class="1",
            outcome=Outcome.FAILED if failed else Outcome.SUCCESS,
            failure=FailureClass.COMPILE if failed else None,
            attempt=1,
            submitted=finished - 600,
            started=finished - 400,
            landed=0.0 if failed else finished - 10,
            finished=finished,
        )
