"""The database runner with a real queue: what it publishes, refuses and tries again."""

from __future__ import annotations

import re
import shutil
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from scheduler.database.entries import read_entries
from scheduler.database.publishing import Publisher
from scheduler.database.runner import DatabaseRunner
from scheduler.database.signing import Signer
from scheduler.job import JobSpec, Outcome, Removal, State
from scheduler.queue import Queue, WorkerIdentity
from scheduler.settings import DatabaseSettings, TargetRepository
from tests.support.deliveries import allow, deliver, manifest_of
from tests.support.packages import make_package
from tests.support.queue import job

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from scheduler.landing import LandingZone
    from scheduler.queue import JobView
    from scheduler.workerkeys import WorkerKey
    from tests.support.packages import SigningKey


@dataclass
class World:
    """A queue, workers that always succeed, and a database runner."""

    queue: Queue
    landing: LandingZone
    key: WorkerKey
    settings: DatabaseSettings
    base: Path
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: dict[str, int] = field(default_factory=dict)
    requests: int = 0

    def runner(self, **changes: object) -> DatabaseRunner:
        values = {
            "queue": self.queue,
            "settings": self.settings,
            "landing": self.landing,
            "signer": Signer(self.settings.gpg_home),
            "interval": 0.1,
        }
        publisher = Publisher(**(values | changes))  # type: ignore[arg-type]
        return DatabaseRunner(publisher, "runner-1", self.stop)

    def deliver(self, spec: JobSpec, *packages: Path, **wrong: object) -> str:
        """Submit, claim and land a job, as a worker does; return the delivery's name."""
        self.requests += 1
        submission = self.queue.submit(f"request-{self.requests}", [spec])
        (self.jobs[spec.pkgbase],) = submission.jobs
        claim = self.queue.claim(WorkerIdentity.new("worker"))
        assert claim is not None
        manifest = manifest_of(claim, *packages, **wrong)
        delivery = deliver(self.landing, self.key, manifest, *packages)
        self.queue.land(claim, delivery)
        return delivery

    def package(self, name: str, version: str = "1-1", **values: str) -> Path:
        """Make a package in a folder of its own."""
        self.requests += 1
        folder = self.base / f"output-{self.requests}"
        folder.mkdir()
        return make_package(folder, name, version, **values)

    def simple(self, name: str, version: str = "1-1", **values: str) -> str:
        return self.deliver(job(name), self.package(name, version, **values))

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

    def published(self) -> dict[str, str]:
        entries = read_entries(self.folder / "repo.db.tar.zst")
        return {name: entry.version for name, entry in entries.items()}

    def deliveries(self) -> list[str]:
        return sorted(path.name for path in self.landing.folder.iterdir() if path.name[0] != ".")


@pytest.fixture
def world(
    redis: Redis, tmp_path: Path, key: SigningKey, landing: LandingZone, worker_key: WorkerKey
) -> World:
    settings = DatabaseSettings(
        source_repos={},
        allowed_workers=tmp_path / "allowed_workers",
        cache=tmp_path / "cache",
        target_repos={"repo": TargetRepository(name="repo")},
        repo_path=tmp_path / "www",
        landing_zone=landing.folder,
        gpg_home=key.home,
    )
    allow(settings.allowed_workers, worker_key, "worker")
    return World(Queue(redis), landing, worker_key, settings, tmp_path)


def test_all_that_waits_is_published_in_one_step(world: World) -> None:
    for name in ("a", "b++", "c.d"):
        world.simple(name)
    split = [world.package("e", base="e")]
    for name in ("e-doc", "e-debug"):
        split.append(make_package(split[0].parent, name, base="e", arch="x86_64"))
    world.deliver(job("e", pkgnames=("e", "e-doc")), *split)

    assert world.runner().step()

    assert world.published() == dict.fromkeys(["a", "b++", "c.d", "e", "e-doc", "e-debug"], "1-1")
    assert world.ended("e") == (Outcome.SUCCESS, "")
    assert world.deliveries() == []
    assert (world.folder / "e-debug-1-1-x86_64.pkg.tar.zst.sig").is_file()


def test_dependants_go_on_only_after_publication(world: World) -> None:
    world.simple("lib")
    world.queue.submit("dependant", [job("tool", "lib")])

    assert world.queue.claim(WorkerIdentity.new("worker")) is None
    world.runner().step()

    assert world.queue.claim(WorkerIdentity.new("worker")) is not None


def test_a_bad_delivery_is_kept_aside_and_the_others_are_published(world: World) -> None:
    world.simple("good")
    foreign = world.package("linux", base="bad")
    bad = world.deliver(job("bad"), foreign)

    world.runner().step()

    assert world.published() == {"good": "1-1"}
    outcome, reason = world.ended("bad")
    assert outcome is Outcome.FAILED
    assert "linux is none of the packages of bad" in reason
    aside = world.landing.folder / ".rejected"
    assert (aside / bad / "linux-1-1-any.pkg.tar.zst").is_file()
    assert "linux is none" in (aside / f"{bad}.reason").read_text()
    assert world.deliveries() == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"commit": "1" * 40}, "was built from commit 1111"),
        ({"pkgbase": "other"}, "is of another job"),
        ({"target_repo": "other"}, "is of another job"),
        ({"arch": "aarch64"}, "is of another job"),
        ({"source_repo": "other"}, "was built from commit .* of other"),
        ({"attempt": 2}, "is of attempt 2"),
        ({"version": 1}, "2 was expected"),
        ({"tree": "no tree"}, "does not match"),
        (
            {"worker": "other-1"},
            "not signed by a key that ALLOWED_WORKERS has for the worker other",
        ),
        ({"worker": "no name"}, "cannot be the name of a worker"),
    ],
)
def test_a_manifest_of_something_else_is_refused(
    world: World, wrong: dict[str, object], message: str
) -> None:
    world.deliver(job("tool"), world.package("tool"), **wrong)

    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert re.search(message, reason)
    assert world.published() == {}


def test_a_file_that_changed_or_went_after_the_build_is_refused(world: World) -> None:
    changed = world.simple("changed")
    gone = world.simple("gone")
    linked = world.simple("linked")
    (world.landing.folder / changed / "changed-1-1-any.pkg.tar.zst").write_bytes(b"other")
    (world.landing.folder / gone / "gone-1-1-any.pkg.tar.zst").unlink()
    link = world.landing.folder / linked / "linked-1-1-any.pkg.tar.zst"
    link.unlink()
    link.symlink_to("/etc/passwd")

    world.runner().step()

    assert "not the file that the manifest describes" in world.ended("changed")[1]
    assert "not in the delivery" in world.ended("gone")[1]
    assert "is a link" in world.ended("linked")[1]
    assert world.published() == {}


def test_a_delivery_that_is_not_there_ends_its_job(world: World) -> None:
    delivery = world.simple("tool")
    shutil.rmtree(world.landing.folder / delivery)

    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert f"delivery {delivery} is not there" in reason


def test_publishing_the_same_delivery_twice_is_harmless(world: World) -> None:
    delivery = world.simple("tool")
    copy = world.base / "copy"
    shutil.copytree(world.landing.folder / delivery, copy)
    (claim,) = world.queue.claim_landed("runner-0")
    world.runner()._publisher.publish([claim])
    assert world.ended("tool")[0] is Outcome.SUCCESS
    before = (world.folder / "repo.db.tar.zst").read_bytes()

    # As if the runner had died between publishing and telling the queue.
    again = world.deliver(job("tool"), copy / "tool-1-1-any.pkg.tar.zst")
    world.runner().step()

    assert again != delivery
    assert world.ended("tool") == (Outcome.SUCCESS, "")
    assert (world.folder / "repo.db.tar.zst").read_bytes() == before
    assert world.deliveries() == []


def test_another_build_of_a_published_version_changes_nothing(world: World) -> None:
    world.simple("tool", content="first build")
    world.runner().step()
    before = {path.name: path.read_bytes() for path in world.folder.iterdir()}

    world.simple("tool", content="second build")
    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.ALREADY_BUILT
    assert "tool 1-1" in reason
    assert {path.name: path.read_bytes() for path in world.folder.iterdir()} == before


def test_a_new_member_of_a_published_version_is_added_to_it(world: World) -> None:
    world.simple("tool", content="first build")
    world.runner().step()
    old = (world.folder / "tool-1-1-any.pkg.tar.zst").read_bytes()

    path = world.package("tool", content="second build")
    doc = make_package(path.parent, "tool-doc", base="tool")
    world.deliver(job("tool", pkgnames=("tool", "tool-doc")), path, doc)
    world.runner().step()

    assert world.published() == {"tool": "1-1", "tool-doc": "1-1"}
    assert world.ended("tool")[0] is Outcome.SUCCESS
    assert "left as it is: tool 1-1" in world.ended("tool")[1]
    assert (world.folder / "tool-1-1-any.pkg.tar.zst").read_bytes() == old


def test_an_older_version_is_refused(world: World) -> None:
    world.simple("tool", "1:1-1")
    world.runner().step()
    world.simple("tool", "9-1")
    world.runner().step()

    outcome, reason = world.ended("tool")
    assert outcome is Outcome.FAILED
    assert "9-1 is older than the published 1:1-1" in reason
    assert world.published() == {"tool": "1:1-1"}


def test_two_jobs_with_a_package_of_the_same_name_come_one_after_the_other(world: World) -> None:
    world.deliver(job("a", pkgnames=("shared",)), world.package("shared", "1-1", base="a"))
    world.deliver(job("b", pkgnames=("shared",)), world.package("shared", "2-1", base="b"))
    runner = world.runner()

    runner.step()
    assert world.published() == {"shared": "1-1"}
    assert world.view("b").state is State.LANDED
    runner.step()

    assert world.published() == {"shared": "2-1"}
    assert world.ended("b")[0] is Outcome.SUCCESS


def test_trouble_with_the_key_keeps_deliveries_for_later(world: World, keyless: Signer) -> None:
    delivery = world.simple("tool")
    world.stop.set()  # so that nobody waits between two tries

    world.runner(signer=keyless).step()

    assert world.view("tool").state is State.LANDED
    assert world.deliveries() == [delivery]
    assert world.published() == {}
    world.runner().step()
    assert world.ended("tool")[0] is Outcome.SUCCESS


def test_a_landing_zone_out_of_reach_keeps_the_jobs_for_later(world: World) -> None:
    world.simple("tool")
    world.landing.folder.rename(world.base / "away")
    world.stop.set()
    world.runner().step()
    assert world.view("tool").state is State.LANDED

    (world.base / "away").rename(world.landing.folder)
    world.runner().step()
    assert world.published() == {"tool": "1-1"}


def test_jobs_taken_over_by_another_runner_are_not_published_by_the_first(
    world: World, redis: Redis
) -> None:
    world.simple("tool")
    hasty = Queue(redis, lease=0.001)
    (claim,) = hasty.claim_landed("runner-0")
    while not world.queue.reap():
        pass
    (other,) = world.queue.claim_landed("runner-2")

    # The first one has been asleep for longer than its lease.
    with pytest.raises(Exception, match="does not hold repo/x86_64/tool any more"):
        world.runner()._publisher.publish([claim])

    assert world.published() == {}
    world.runner()._publisher.publish([other])
    assert world.published() == {"tool": "1-1"}


def test_a_package_that_repo_add_refuses_does_not_hold_up_the_others(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.simple("good")
    world.simple("better")
    delivery = world.deliver(job("bad"), world.package("bad"))
    # What the real one refuses differs from version to version.
    picky = tmp_path / "picky" / "repo-add"
    picky.parent.mkdir()
    picky.write_text(
        "#!/bin/sh\n"
        'case "$*" in *bad-*) echo "repo-add: I refuse" >&2; exit 1 ;; esac\n'
        f'exec {shutil.which("repo-add")} "$@"\n'
    )
    picky.chmod(0o755)
    monkeypatch.setenv("PATH", str(picky.parent), prepend=":")

    world.runner().step()

    assert world.published() == {"good": "1-1", "better": "1-1"}
    outcome, reason = world.ended("bad")
    assert outcome is Outcome.FAILED
    assert "repo-add" in reason
    assert (world.landing.folder / ".rejected" / delivery).is_dir()


def test_bases_are_removed_by_name_with_all_their_packages(world: World) -> None:
    path = world.package("a")
    world.deliver(
        job("a", pkgnames=("a", "a-doc")), path, make_package(path.parent, "a-doc", base="a")
    )
    world.simple("b")
    world.simple("c")
    runner = world.runner()
    runner.step()

    world.queue.submit("removal", [], [Removal(target_repo="repo", remove=("a", "unknown"))])
    runner.step()

    assert world.published() == {"b": "1-1", "c": "1-1"}
    assert not any(path.name.startswith("a-") for path in world.folder.iterdir())
    removal = [event for event in world.queue.events() if event.kind == "removal"][-1]
    assert removal.outcome is Outcome.SUCCESS
    assert "removed a" in removal.reason
    assert "unknown" not in removal.reason


def test_all_but_the_bases_to_keep_are_removed(world: World) -> None:
    for name in ("a", "b", "c"):
        world.simple(name)
    runner = world.runner()
    runner.step()

    world.queue.submit("removal", [], [Removal(target_repo="repo", keep=("b", "new"))])
    runner.step()

    assert world.published() == {"b": "1-1"}


def test_removing_from_a_repository_that_is_not_there_yet_is_no_error(world: World) -> None:
    world.queue.submit("removal", [], [Removal(target_repo="repo", remove=("a",))])

    assert world.runner().step()

    removal = [event for event in world.queue.events() if event.kind == "removal"][-1]
    assert removal.outcome is Outcome.SUCCESS


def test_jobs_for_repositories_of_other_runners_are_left_to_them(world: World) -> None:
    spec = job("tool", target_repo="elsewhere")
    world.deliver(spec, world.package("tool"))

    assert not world.runner().step()
    assert world.view("tool").state is State.LANDED


def test_a_runner_ends_when_told_or_idle(world: World) -> None:
    world.runner().run(idle_exit=0)
    world.stop.set()
    world.runner().run()
