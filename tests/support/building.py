"""A worker with its queue, real git and real builds, for tests."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.process import run
from scheduler.landing import LandingZone, Manifest
from scheduler.landing.manifest import MANIFEST
from scheduler.logs import LogStore
from scheduler.queue import Queue, WorkerIdentity
from scheduler.settings import BUILT_IN_FLAVOURS, WorkerSettings
from scheduler.source.cache import SourceCache
from scheduler.worker.builder import Builder
from scheduler.worker.delivery import DeliveryClient, RetryPolicy
from scheduler.worker.executors.host.executor import HostExecutor
from scheduler.worker.loop import Worker
from scheduler.worker.srcdest_cache import SrcdestCache
from scheduler.worker.workspace import workspace
from scheduler.workerkeys import WorkerKey
from tests.support.packages import srcinfo_of
from tests.support.queue import job

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from redis import Redis

    from scheduler.job import JobSpec, Outcome
    from scheduler.queue import JobView
    from scheduler.settings import Flavour, SourceRepository, TargetRepository
    from scheduler.worker.executors.protocol import Executor
    from scheduler.worker.users import BuildUser
    from tests.support.git import Checkout


@dataclass
class BuildWorld:
    """A worker, its queue and the repository that it builds from."""

    queue: Queue
    logs: LogStore
    landing: LandingZone
    checkout: Checkout
    worker: Worker
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: dict[str, int] = field(default_factory=dict)

    def add(self, texts: dict[str, str], **extra: dict[str, str]) -> str:
        """Commit and push PKGBUILDs, and further files of packages; return the commit."""
        files: dict[str, str | bytes | None] = {
            f"{name}/PKGBUILD": text for name, text in texts.items()
        }
        files |= {f"{name}/.SRCINFO": srcinfo_of(text, name) for name, text in texts.items()}
        files |= {f"{name}/{path}": text for name in extra for path, text in extra[name].items()}
        commit = self.checkout.commit("packages", files)
        self.checkout.push()
        return commit

    def submit(self, *specs: JobSpec) -> None:
        submission = self.queue.submit(secrets.token_hex(8), specs)
        self.jobs |= {spec.pkgbase: id_ for spec, id_ in zip(specs, submission.jobs, strict=True)}

    def build(self, files: Mapping[str, str | bytes | None], pkgbase: str = "tool") -> JobView:
        """Commit `files` in the folder of a package, build that, and return the job as it ended.

        It has a `.SRCINFO` unless they say otherwise.
        """
        files = {".SRCINFO": srcinfo_of(str(files["PKGBUILD"]), pkgbase), **files}
        commit = self.checkout.commit(
            "package",
            {
                f"{pkgbase}/{path}": content
                for path, content in files.items()
                if content is not None
            },
        )
        self.checkout.push()
        self.submit(job(pkgbase, commit=commit))
        self.build_next()
        return self.view(pkgbase)

    def build_next(self) -> None:
        claim = self.queue.claim(self.worker.identity)
        assert claim is not None
        self.worker.work_on(claim)

    def view(self, pkgbase: str) -> JobView:
        view = self.queue.job(self.jobs[pkgbase])
        assert view is not None
        return view

    def log(self, pkgbase: str = "tool", attempt: int = 1) -> str:
        return self.logs.read_all(self.jobs[pkgbase], attempt).decode()

    def manifest(self, pkgbase: str = "tool") -> Manifest:
        """Return the manifest of the package that was delivered."""
        folder = self.landing.path_of(self.view(pkgbase).delivery)
        return Manifest.from_bytes((folder / MANIFEST).read_bytes())

    def pkginfo(self, pkgbase: str = "tool") -> dict[str, str]:
        """Return the `.PKGINFO` of the first package that was delivered."""
        name = self.manifest(pkgbase).files[0].name
        package = self.landing.path_of(self.view(pkgbase).delivery) / name
        lines = run(["bsdtar", "-xOf", package, ".PKGINFO"]).stdout.decode().splitlines()
        return dict(line.split(" = ", 1) for line in lines if " = " in line)

    def ended(self, pkgbase: str) -> tuple[Outcome | None, str]:
        view = self.view(pkgbase)
        return view.outcome, view.reason


@dataclass
class BuildSite:
    """Where the worlds of a test are made."""

    redis: Redis
    shared: Path
    user: BuildUser
    checkout: Checkout
    source: SourceRepository

    @contextmanager
    def world(
        self,
        *,
        executor: Executor | None = None,
        target: TargetRepository | None = None,
        timeout: int = 100,
        stall: int = 1800,
        min_free: int = 0,
        lease: float = 60.0,
        retry_policy: RetryPolicy | None = None,
        architectures: tuple[str, ...] = ("x86_64", "x86_64_v3"),
        flavours: Mapping[str, Flavour] | None = None,
    ) -> Iterator[BuildWorld]:
        queue, logs = Queue(self.redis, lease=lease), LogStore(self.redis)
        landing = LandingZone(self.checkout.folder.parent / "landing")
        identity = WorkerIdentity.new("builder", architectures=architectures)
        settings = WorkerSettings(
            source_repos={"source": self.source},
            landing_zone=landing.folder,
            shared=self.shared,
            key=self.checkout.folder.parent / "worker-key",
            name="builder",
            target_repos={target.name: target} if target else {},
            timeout=timeout,
            stall=stall,
            min_free=min_free,
            flavours={**BUILT_IN_FLAVOURS, **(flavours or {})},
        )
        stop = threading.Event()
        with workspace(self.shared, identity.id, self.user) as place:
            builder = Builder(
                settings=settings,
                worker_id=identity.id,
                sources=SourceCache(self.shared / "sources"),
                downloads=SrcdestCache(place.downloads),
                executor=executor or HostExecutor(grace=0.3, readable=(self.shared,)),
                user=self.user,
                architectures=architectures,
            )
            worker = Worker(
                queue=queue,
                logs=logs,
                identity=identity,
                builder=builder,
                delivery=DeliveryClient(
                    landing=landing,
                    key=WorkerKey.ensure(settings.key),
                    retry_policy=retry_policy or RetryPolicy(total=0.05, first_pause=0.01),
                ),
                workspace=place,
                stop=stop,
                heartbeat_interval=0.1,
            )
            yield BuildWorld(queue, logs, landing, self.checkout, worker, stop)
            assert list(place.folder.iterdir()) == []
