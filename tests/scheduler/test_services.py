"""How workers and database runners end, and what they tell the queue: real processes."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ExitCode
from scheduler import embedded
from scheduler.connection import connect
from scheduler.job import JobState, Outcome
from scheduler.logs import LogStore
from scheduler.queue import PROTOCOL, Queue
from tests.support.git import Checkout, srcinfo
from tests.support.packages import SigningKey, pkgbuild, signing_key
from tests.support.queue import eventually, job
from tests.support.sshd import ssh_server
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

    from scheduler.queue import WorkerView

# Goes on until `Site.let_go`, also when it is asked to end, which it notes.
STUBBORN = """trap 'touch ~/asked' TERM
  echo started
  while ! [ -e ~/go ]; do sleep 0.1 || :; done"""


@dataclass
class Site:
    """A queue, a source repository, and the environment of the services."""

    queue: Queue
    redis: Redis
    checkout: Checkout
    environment: dict[str, str]

    @property
    def name(self) -> str:
        """The worker's name; nobody else on this machine has it."""
        return self.environment["BUILDER_HOSTNAME"]

    def submit(self, **packages: str) -> tuple[int, ...]:
        """Commit and push packages with such build functions, and schedule them."""
        files: dict[str, str | bytes | None] = {}
        for name, text in packages.items():
            files[f"{name}/PKGBUILD"] = pkgbuild(name, build=text)
            files[f"{name}/.SRCINFO"] = srcinfo(name)
        commit = self.checkout.commit("packages", files)
        self.checkout.push()
        jobs = [job(name, commit=commit) for name in packages]
        return self.queue.submit(secrets.token_hex(8), jobs).jobs

    def workers(self) -> tuple[WorkerView, ...]:
        return self.queue.snapshot().workers

    def state(self, job_id: int) -> tuple[JobState, Outcome | None] | None:
        view = self.queue.job(job_id)
        return (view.state, view.outcome) if view else None

    def builds(self) -> dict[int, dict[str, str]]:
        """Return the processes of builds of the worker, oldest first, and their environments."""
        found = {}
        started = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    text = (folder / "environ").read_text(errors="replace")
                    status = (folder / "stat").read_text(errors="replace")
                except OSError:
                    continue
                environ = dict(line.partition("=")[::2] for line in text.split("\0"))
                if environ.get("BUILDER_HOSTNAME") == self.name and "PKGDEST" in environ:
                    found[int(folder.name)] = environ
                    started[int(folder.name)] = int(status.rpartition(")")[2].split()[19])
        # Numbers begin anew at some time; a process of a moment may have a small one.
        return dict(sorted(found.items(), key=lambda it: started[it[0]]))

    def home(self) -> Path:
        """Return the home folder of the running build, wherever that has its root."""
        for pid, environ in self.builds().items():
            home = Path(f"/proc/{pid}/root{environ['HOME']}")
            if home.is_dir():
                return home
        raise AssertionError("no build is running")

    def let_go(self) -> None:
        """Let the running build come to its end."""
        (self.home() / "go").touch()


@pytest.fixture
def site(tmp_path: Path, queue: Queue, redis: Redis, redis_url: str, quick_makepkg: None) -> Site:
    need_tools("makepkg", "bsdtar", "fakeroot", "setpriv")
    checkout = Checkout.create(tmp_path / "source")
    (tmp_path / "allowed_workers").touch()
    # In the sandbox nobody could be so stubborn.
    no_sandbox = tmp_path / "bin" / "bwrap"
    no_sandbox.parent.mkdir()
    no_sandbox.write_text("#!/bin/sh\nexit 1\n")
    no_sandbox.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{no_sandbox.parent}:{os.environ['PATH']}",
        "REDIS_URL": redis_url,
        "PACKAGE_REPOS": json.dumps({"source": {"url": checkout.remote.as_uri()}}),
        "BUILDER_EXECUTOR": "host",
        "ALLOWED_WORKERS": str(tmp_path / "allowed_workers"),
        "BUILDER_KEY": str(tmp_path / "worker-key"),
        "PACKAGE_TARGET_REPOS": json.dumps({"repo": {}, "testing": {}}),
        "SHARED_PATH": str(tmp_path / "shared"),
        "LANDING_ZONE_PATH": str(tmp_path / "landing"),
        "REPO_PATH": str(tmp_path / "www"),
        "BUILDER_HOSTNAME": f"tester-{secrets.token_hex(5)}",
    }
    return Site(queue, redis, checkout, environment)


@pytest.fixture
def key() -> Iterator[SigningKey]:
    need_tools("bsdtar", "gpg", "repo-add", "zstd")
    with signing_key() as key:
        yield key


@contextmanager
def started(site: Site, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service; whatever becomes of the test, it does not outlive it."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "caur_ci", *arguments],
        env=site.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(arguments: list[str], environment: dict[str, str]) -> str:
    """Run a command and return what it printed."""
    command = [sys.executable, "-P", "-m", "caur_ci", *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout.decode()


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Wait for the end of a service; return its exit code and what it said."""
    output, _ = process.communicate(timeout=120)
    text = output.decode()
    assert "Traceback" not in text, text
    return process.returncode, text


def says(site: Site, job_id: int, text: bytes = b"started") -> Callable[[], bool]:
    """Return the question whether the build of the job has said `text`."""
    logs = LogStore(site.redis)
    return lambda: text in logs.read_all(job_id, 1)


def test_a_drained_worker_ends_when_its_build_has_ended(site: Site) -> None:
    slow, other = site.submit(slow=STUBBORN, other=":")
    with started(site, "worker") as process:
        eventually(says(site, slow), within=60)
        assert len(site.queue.drain([site.name])) == 1
        (view,) = site.queue.snapshot().workers
        assert view.draining
        site.let_go()
        code, said = ended(process)
    assert code == ExitCode.OK, said
    assert "drain" in said
    assert site.state(slow) == (JobState.LANDED, None)
    assert site.state(other) == (JobState.READY, None)
    assert site.queue.snapshot().workers == ()


def test_a_worker_of_another_version_is_told_so_and_gets_nothing(site: Site) -> None:
    (job_id,) = site.submit(tool=":")
    site.redis.hset("{caur}:control", "protocol", PROTOCOL + 1)
    with started(site, "worker") as process:
        code, said = ended(process)
    assert code == ExitCode.FAILED, said
    assert "error: " in said
    assert f"{PROTOCOL + 1}" in said
    site.redis.hset("{caur}:control", "protocol", PROTOCOL)
    assert site.state(job_id) == (JobState.READY, None)
    view = site.queue.job(job_id)
    assert view is not None
    assert view.attempt == 0


def test_a_worker_that_is_not_allowed_takes_no_job_until_it_is(site: Site, key: SigningKey) -> None:
    site.environment["GPG_PATH"] = str(key.home)
    with started(site, "database"):
        eventually(lambda: bool(site.queue.repositories().targets), within=60)
        (job_id,) = site.submit(tool=":")
        with started(site, "worker"):
            eventually(
                lambda: any("not signed by" in each.trouble for each in site.workers()), within=60
            )
            assert site.state(job_id) == (JobState.READY, None)
            line = run(["worker", "--print-key"], site.environment)
            Path(site.environment["ALLOWED_WORKERS"]).write_text(line)
            eventually(lambda: site.state(job_id) == (JobState.DONE, Outcome.SUCCESS), within=100)
    view = site.queue.job(job_id)
    assert view is not None
    assert view.attempt == 1


def test_a_worker_started_with_a_narrow_umask_builds(site: Site) -> None:
    (job_id,) = site.submit(tool=":")
    before = os.umask(0o077)
    try:
        with started(site, "worker", "--idle-exit", "1") as process:
            code, said = ended(process)
    finally:
        os.umask(before)
    assert code == ExitCode.OK, said
    assert site.state(job_id) == (JobState.LANDED, None), said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_a_worker_at_once(site: Site, number: signal.Signals) -> None:
    (job_id,) = site.submit(stubborn=STUBBORN)
    with started(site, "worker") as process:
        eventually(says(site, job_id), within=60)
        home = site.home()
        process.send_signal(signal.SIGTERM)
        eventually((home / "asked").exists)
        process.send_signal(number)
        code, said = ended(process)
    assert code == ExitCode.INTERRUPTED, said
    # It did not stay to hand the job back; the lease sees to that.
    assert site.state(job_id) == (JobState.BUILDING, None)
    assert not says(site, job_id, b"ended")()
    eventually(lambda: not site.builds())


def test_not_even_a_redis_that_hangs_keeps_a_worker_from_ending_at_once(
    site: Site, tmp_path: Path
) -> None:
    url = embedded.ensure(tmp_path / "state")
    try:
        with connect(url) as client:
            site.environment["REDIS_URL"] = url
            site.queue, site.redis = Queue(client), client
            server = client.info("server")["process_id"]
            (job_id,) = site.submit(stubborn=STUBBORN)
            with started(site, "worker") as process:
                eventually(says(site, job_id), within=60)
                home = site.home()
                # Whoever was heard by the server has its answer before we have this one: a worker
                # that waits for one to a part of the log looks at no signal meanwhile.
                client.ping()
                os.kill(server, signal.SIGSTOP)
                try:
                    process.send_signal(signal.SIGTERM)
                    eventually((home / "asked").exists)
                    process.send_signal(signal.SIGTERM)
                    code, said = ended(process)
                finally:
                    os.kill(server, signal.SIGCONT)
            assert code == ExitCode.INTERRUPTED, said
            assert "is lost" not in said  # the end of the log, which it did not wait for
            assert site.state(job_id) == (JobState.BUILDING, None)
            eventually(lambda: not site.builds())
    finally:
        embedded.stop(tmp_path / "state")


def test_a_worker_that_lost_its_lease_stops_the_build_and_goes_on(site: Site) -> None:
    (job_id,) = site.submit(endless="echo started; while :; do sleep 0.1; done")
    with started(site, "worker") as process:
        eventually(says(site, job_id), within=60)
        site.queue.reset()
        eventually(lambda: not site.builds(), within=60)
        assert process.poll() is None
        (next_job,) = site.submit(tool=":")
        eventually(lambda: (site.state(next_job) or [None])[0] is JobState.LANDED, within=60)
        process.send_signal(signal.SIGTERM)
        code, said = ended(process)
    assert code == ExitCode.OK, said
    assert "the lease on the job was lost" in said
    assert site.state(job_id) is None


def test_services_tell_which_repositories_they_work_for(site: Site, key: SigningKey) -> None:
    site.environment["GPG_PATH"] = str(key.home)
    with started(site, "worker"), started(site, "database"):
        eventually(
            lambda: bool(
                (known := site.queue.repositories()).sources.keys() >= {"source"}
                and known.targets.keys() >= {"repo", "testing"}
            ),
            within=60,
        )
        done = site.queue.submit("request", [job("a"), job("b", target_repo="elsewhere")])
    assert [refusal.identity for refusal in done.refused] == ["elsewhere/x86_64/b"]


def test_a_drained_database_runner_ends(site: Site, key: SigningKey) -> None:
    site.environment["GPG_PATH"] = str(key.home)
    with started(site, "database") as process:
        eventually(lambda: bool(site.queue.drain()), within=60)
        code, said = ended(process)
    assert code == ExitCode.OK, said
    assert "drain" in said


def test_services_that_end_are_forgotten(site: Site, key: SigningKey) -> None:
    site.environment["GPG_PATH"] = str(key.home)
    with started(site, "worker") as worker, started(site, "database") as runner:
        eventually(lambda: len(site.queue.snapshot().workers) == 2, within=60)
        for process in (worker, runner):
            process.send_signal(signal.SIGTERM)
            code, said = ended(process)
            assert code == ExitCode.OK, said
    assert site.queue.snapshot().workers == ()


def test_a_strict_service_does_not_start_where_jobs_may_be_lost(site: Site) -> None:
    site.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with started(site, "worker", "--strict") as process:
            code, said = ended(process)
    finally:
        site.redis.config_set("maxmemory-policy", "noeviction")
    assert code == ExitCode.FAILED
    assert "maxmemory-policy is allkeys-lru" in said


def test_a_worker_delivers_to_another_machine(site: Site, tmp_path: Path) -> None:
    need_tools("sftp")
    with ssh_server(tmp_path / "ssh") as server:
        del site.environment["LANDING_ZONE_PATH"]
        site.environment |= {
            "DATABASE_HOST": "127.0.0.1",
            "DATABASE_PORT": str(server.port),
            "DATABASE_USER": server.user,
            "DATABASE_KEY": str(server.key),
            "DATABASE_HOST_FINGERPRINT": server.fingerprint,
            "LANDING_ZONE_ADVERTISED_PATH": str(tmp_path / "far away"),
        }
        (job_id,) = site.submit(tool=":")
        with started(site, "worker") as process:
            eventually(lambda: (site.state(job_id) or [None])[0] is JobState.LANDED, within=60)
            process.send_signal(signal.SIGTERM)
            code, said = ended(process)
        assert code == ExitCode.OK, said
        view = site.queue.job(job_id)
        assert view is not None
        assert sorted(path.name for path in (tmp_path / "far away" / view.delivery).iterdir()) == [
            "manifest.json",
            "manifest.json.sig",
            "tool-1-1-any.pkg.tar.zst",
        ]

        site.environment["DATABASE_HOST_FINGERPRINT"] = f"SHA256:{'A' * 43}"
        with started(site, "worker") as process:
            code, said = ended(process)
        assert code == ExitCode.FAILED
        assert "error: the host key of 127.0.0.1 is not the one given" in said
