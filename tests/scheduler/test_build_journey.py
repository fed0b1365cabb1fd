"""`caur-ci worker` and `caur-ci database` as people start them, from a commit to pacman."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.history import BuildLogs, History
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.logs import LogStore
from scheduler.queue import Queue
from scheduler.workerkeys import WorkerKey
from tests.support.deliveries import allow
from tests.support.git import Checkout, git, make_repository, srcinfo
from tests.support.packages import SigningKey, gnupg_folder, pkgbuild, signing_key
from tests.support.pacman_client import PacmanClient
from tests.support.queue import eventually, job
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis import Redis

FOREVER = 'echo $BASHPID > "$PKGDEST/pid"; while :; do sleep 0.1; done'


@pytest.fixture
def key() -> Iterator[SigningKey]:
    need_tools("makepkg", "bsdtar", "fakeroot", "setpriv", "gpg", "repo-add", "pacman", "zstd")
    with signing_key() as key:
        yield key


@pytest.fixture
def environment(tmp_path: Path, redis_url: str, key: SigningKey) -> dict[str, str]:
    checkout = tmp_path / "source" / "remote.git"
    name = f"tester-{secrets.token_hex(5)}"
    allow(tmp_path / "allowed_workers", WorkerKey.ensure(tmp_path / "worker-key"), name)
    return {
        **os.environ,
        "REDIS_URL": redis_url,
        "PACKAGE_REPOS": json.dumps({"source": {"url": checkout.as_uri()}}),
        "BUILDER_EXECUTOR": "host",
        "ALLOWED_WORKERS": str(tmp_path / "allowed_workers"),
        "BUILDER_KEY": str(tmp_path / "worker-key"),
        "PACKAGE_TARGET_REPOS": json.dumps({"repo": {}}),
        "SHARED_PATH": str(tmp_path / "shared"),
        "LANDING_ZONE_PATH": str(tmp_path / "landing"),
        "REPO_PATH": str(tmp_path / "www"),
        "GPG_PATH": str(key.home),
        "ACCESS_TOKEN": "s3cret-token",
        "BUILDER_HOSTNAME": name,
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "caur_ci", *arguments]


@contextmanager
def service(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service; it must end in order, when it is asked to."""
    with subprocess.Popen(
        command(*arguments), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                output, _ = process.communicate(timeout=120)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == 0, output.decode()
        assert b"Traceback" not in output, output.decode()


def outcomes(queue: Queue, jobs: tuple[int, ...]) -> list[Outcome | None]:
    views = [queue.job(job_id) for job_id in jobs]
    return [view.outcome if view else None for view in views]


@pytest.mark.usefixtures("quick_makepkg")
def test_from_a_commit_to_an_installed_package(
    tmp_path: Path, environment: dict[str, str], redis: Redis, key: SigningKey
) -> None:
    checkout = Checkout.create(tmp_path / "source")
    split = pkgbuild("tool", head="epoch=1").replace("pkgname=tool", "pkgname=(tool tool-doc)")
    split = split.replace(
        "package() {", "package_tool-doc() { :; }\npackage_tool() {\n  depends=(lib++)"
    )
    commit = checkout.commit(
        "packages",
        {
            "lib++/PKGBUILD": pkgbuild("lib++", build="cat /proc/[0-9]*/environ 2>&1 || true"),
            "lib++/.SRCINFO": srcinfo("lib++"),
            # Worker and database runner tell from its PKGBUILD what the others have written down.
            ".ci/config": "CI_SRCINFO=generate\n",
            "tool/PKGBUILD": split,
            "bad/PKGBUILD": pkgbuild("bad", build="false"),
            "bad/.SRCINFO": srcinfo("bad"),
        },
    )
    checkout.push()
    queue = Queue(redis)
    jobs = queue.submit(
        "journey",
        [
            job("lib++", commit=commit),
            job("tool", "lib++", commit=commit, pkgnames=("tool", "tool-doc")),
            job("bad", commit=commit),
        ],
    ).jobs

    environment["HISTORY_PATH"] = str(tmp_path / "history")
    with (
        service(environment, "builder"),
        service(environment, "database"),
        History.open(tmp_path / "history", read_only=True) as history,
    ):
        eventually(lambda: None not in outcomes(queue, jobs), within=100)
        eventually(lambda: all(map(history.job, jobs)) and len(history.logs.paths()) == 3)

    assert outcomes(queue, jobs) == [Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILED]
    assert b"s3cret-token" not in LogStore(redis).read_all(jobs[0], 1)
    check_history(tmp_path / "history", jobs)
    published = tmp_path / "www" / "repo" / "x86_64"
    client = PacmanClient(tmp_path / "client", repository="repo", published=published)
    client.trust(key.public, key.fingerprint)
    client.refresh()
    client.install("tool")
    assert client.installed() == {"lib++": "1-1", "tool": "1:1-1"}
    assert client.available() == {"lib++": "1-1", "tool": "1:1-1", "tool-doc": "1:1-1"}


def check_history(path: Path, jobs: Sequence[int]) -> None:
    """See that the history knows what was built, took and brought, and has the logs."""
    with History.open(path, read_only=True) as history:
        lib, tool, bad = (history.job(job_id) for job_id in jobs)
        assert lib is not None
        assert tool is not None
        assert bad is not None
        assert [file.name for file in tool.files] == ["tool", "tool-doc"]
        assert [file.version for file in tool.files] == ["1:1-1", "1:1-1"]
        assert 1 <= int(lib.generation) <= int(tool.generation)
        assert (bad.files, bad.failure) == ((), FailureClass.COMPILE)
        for past in (lib, tool, bad):
            assert len(past.tree) == 40
            assert past.usage.cpu_seconds is not None
            assert past.build_seconds is not None
        log = BuildLogs(None, history).read(bad.job_id, 1)
        assert b"==> caur-ci: ended: FAILED" in log.data
        assert log.ended


@pytest.mark.usefixtures("quick_makepkg")
def test_the_first_push_of_a_new_repository_is_published(
    tmp_path: Path, environment: dict[str, str], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, remote = tmp_path / "begin", tmp_path / "source" / "remote.git"
    make_repository(remote, bare=True)
    run(command("init", str(folder), "--target-repo", "repo", "--source-repo", "source"))
    git(folder, "remote", "add", "origin", str(remote))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "feat: begin")
    git(folder, "push", "--quiet", "origin", "main")
    monkeypatch.chdir(folder)

    run(command("on-commit"))
    run(command("schedule", "--outbox"), environment={"REDIS_URL": environment["REDIS_URL"]})
    (job,) = Queue(redis).find("hello-caur")
    with service(environment, "worker"), service(environment, "database"):
        eventually(lambda: outcomes(Queue(redis), (job.job_id,)) == [Outcome.SUCCESS], within=100)

    published = [path.name for path in (tmp_path / "www/repo/x86_64").glob("hello-caur-*.zst")]
    assert published == ["hello-caur-1-1-any.pkg.tar.zst"]


@pytest.mark.usefixtures("quick_makepkg")
def test_a_worker_asked_to_end_hands_its_job_back_and_leaves_nothing(
    tmp_path: Path, environment: dict[str, str], redis: Redis
) -> None:
    checkout = Checkout.create(tmp_path / "source")
    files = {"tool/PKGBUILD": pkgbuild("tool", build=FOREVER), "tool/.SRCINFO": srcinfo("tool")}
    commit = checkout.commit("packages", {**files})
    checkout.push()
    queue = Queue(redis)
    (job_id,) = queue.submit("request", [job("tool", commit=commit)]).jobs

    name = environment["BUILDER_HOSTNAME"]
    with service(environment, "database"), service(environment, "worker"):
        eventually(lambda: bool(list(running_builds(name))), within=60)

    view = queue.job(job_id)
    assert view is not None
    assert view.state is JobState.READY
    assert list(running_builds(name)) == []
    for place in (tmp_path / "shared" / "builds", Path(f"/var/tmp/caur-ci-builds-{os.geteuid()}")):  # noqa: S108
        assert not list(place.glob(f"{name}*"))


def running_builds(name: str) -> Iterator[int]:
    """Yield the processes of builds of the worker called `name`."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environ = (folder / "environ").read_bytes()
            except OSError:
                continue
            if f"BUILDER_HOSTNAME={name}\0".encode() in environ and b"PKGDEST=" in environ:
                yield int(folder.name)


def test_idle_services_end_where_that_is_wanted(environment: dict[str, str]) -> None:
    for name in ("worker", "database"):
        run(command(name, "--idle-exit", "0"), environment=environment, timeout=120)


def test_a_runner_without_a_key_does_not_start(environment: dict[str, str]) -> None:
    with gnupg_folder() as home:
        done = run(
            command("database", "--gpg-path", str(home)),
            environment=environment,
            timeout=120,
            allowed=(1,),
        )
    assert b"error: signing failed" in done.stderr
    assert b"Traceback" not in done.stderr
