"""A queue, workers that always succeed, and a database runner with its source repository."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scheduler.database.entries import read_entries
from scheduler.database.publishing import Publisher
from scheduler.database.removing import Remover
from scheduler.database.runner import DatabaseRunner
from scheduler.database.signing import Signer
from tests.support.deliveries import deliver, manifest_of
from tests.support.packages import make_package
from tests.support.queue import job, worker

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from redis import Redis

    from scheduler.job import JobSpec, Outcome
    from scheduler.landing import LandingZone
    from scheduler.queue import JobView, Queue
    from scheduler.settings import DatabaseSettings
    from scheduler.workerkeys import WorkerKey
    from tests.support.git import Checkout


def srcinfo_text(base: str, names: Iterable[str], version: str) -> str:
    """Return a `.SRCINFO` for packages of any architecture."""
    epoch, _, rest = version.rpartition(":")
    pkgver, _, pkgrel = rest.rpartition("-")
    head = [f"pkgver = {pkgver}", f"pkgrel = {pkgrel.partition('.')[0]}", "arch = any"]
    head += [f"epoch = {epoch}"] if epoch else []
    lines = [f"pkgbase = {base}", *(f"\t{line}" for line in head)]
    return "\n".join([*lines, *(f"\npkgname = {name}" for name in names), ""])


@dataclass
class World:
    """What a database runner works with. Packages are delivered as a worker would."""

    queue: Queue
    landing: LandingZone
    key: WorkerKey
    settings: DatabaseSettings
    checkout: Checkout
    base: Path
    redis: Redis
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: dict[str, int] = field(default_factory=dict)
    requests: int = 0

    def publisher(self, **changes: object) -> Publisher:
        values = {
            "queue": self.queue,
            "settings": self.settings,
            "landing": self.landing,
            "signer": Signer(self.settings.gpg_home),
            "interval": 0.1,
        }
        return Publisher(**(values | changes))  # type: ignore[arg-type]

    def runner(self, **changes: object) -> DatabaseRunner:
        publisher = self.publisher(**changes)
        remover = Remover(
            queue=self.queue, settings=publisher.settings, signer=publisher.signer, interval=0.1
        )
        return DatabaseRunner(publisher, remover, "runner-1", self.stop)

    def commit(self, *specs: JobSpec, version: str, base: str = "") -> str:
        """Commit what the source repository is to say about packages."""
        commit = self.checkout.commit(
            version,
            {
                f"{spec.pkgbase}/.SRCINFO": srcinfo_text(
                    base or spec.pkgbase, spec.pkgnames, version
                )
                for spec in specs
            },
        )
        self.checkout.push()
        return commit

    def deliver(
        self,
        spec: JobSpec,
        *packages: Path,
        committed_version: str = "",
        committed_base: str = "",
        **wrong: object,
    ) -> str:
        """Commit, submit, claim and land a job; return the delivery's name.

        The source repository has the version of the first package and the pkgbase of the folder's
        name, if nothing else is said. What is `wrong` goes into the manifest.
        """
        version = committed_version or "-".join(packages[0].name.split("-")[-3:-1])
        spec = replace(spec, commit=self.commit(spec, version=version, base=committed_base))
        return self.land(spec, *packages, **wrong)

    def land(self, spec: JobSpec, *packages: Path, **wrong: object) -> str:
        """Submit, claim and land a job."""
        self.requests += 1
        submission = self.queue.submit(f"request-{self.requests}", [spec])
        (self.jobs[spec.pkgbase],) = submission.jobs
        return self.build(spec.pkgbase, *packages, **wrong)

    def build(self, pkgbase: str, /, *packages: Path, **wrong: object) -> str:
        """Claim and land the next job, which has to be that of `pkgbase`."""
        claim = self.queue.claim(worker())
        assert claim is not None
        assert claim.spec.pkgbase == pkgbase
        manifest = manifest_of(claim, *packages, **wrong)
        delivery = deliver(self.landing, self.key, manifest, *packages)
        self.queue.land(claim, delivery)
        return delivery

    def package(
        self, name: str, version: str = "1-1", *, files: Iterable[str] = (), **values: str
    ) -> Path:
        """Make a package in a folder of its own."""
        self.requests += 1
        folder = self.base / f"output-{self.requests}"
        folder.mkdir()
        return make_package(folder, name, version, files=files, **values)

    def simple(
        self, name: str, version: str = "1-1", *, files: Iterable[str] = (), **values: str
    ) -> str:
        return self.deliver(job(name), self.package(name, version, files=files, **values))

    def split(
        self, folder: str, *names: str, version: str = "1-1", base: str = "", arch: str = "any"
    ) -> str:
        """Deliver a split package."""
        values = {"base": base or folder, "arch": arch}
        first = self.package(names[0], version, **values)
        others = [make_package(first.parent, name, version, **values) for name in names[1:]]
        return self.deliver(job(folder, pkgnames=names), first, *others, committed_base=base)

    def settle_publications(self) -> None:
        """Make it late enough for deliveries that are put off."""
        for job_id in self.jobs.values():
            self.redis.hdel(f"{{caur}}:job:{job_id}", "publish_after")

    def view(self, pkgbase: str) -> JobView:
        view = self.queue.job(self.jobs[pkgbase])
        assert view is not None
        return view

    def ended(self, pkgbase: str) -> tuple[Outcome | None, str]:
        view = self.view(pkgbase)
        return view.outcome, view.reason

    @property
    def folder(self) -> Path:
        return self.settings.repo_path / "repo" / "x86_64"

    def published(self, arch: str = "x86_64") -> dict[str, str]:
        entries = read_entries(self.folder.with_name(arch) / "repo.db.tar.zst")
        return {name: entry.version for name, entry in entries.items()}

    def deliveries(self) -> list[str]:
        return sorted(path.name for path in self.landing.folder.iterdir() if path.name[0] != ".")
