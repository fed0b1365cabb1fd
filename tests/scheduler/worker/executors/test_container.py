"""Builds in containers: what they cannot reach, what limits hold, and that nothing stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError, ProcessError
from scheduler.worker.executors.container.engine import OWNER_LABEL, Engine
from scheduler.worker.executors.container.executor import ContainerExecutor
from scheduler.worker.executors.protocol import GuestError, StepResult, Stop, StoppedError
from tests.scheduler.worker.executors.builds import (
    STAYS,
    Recorder,
    bash,
    make_order,
    makepkg,
    processes_with,
)
from tests.support.packages import pkgbuild
from tests.support.queue import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.settings import ContainerSettings
    from scheduler.worker.executors.container.guest import ContainerGuest
    from scheduler.worker.users import BuildUser
    from tests.support.containers import Containers


@contextmanager
def guest_of(
    settings: ContainerSettings, shared: Path, user: BuildUser, *, processes: int = 8192
) -> Iterator[ContainerGuest]:
    place = shared / "containers"
    with (
        ContainerExecutor.opened(settings, place, processes=processes) as executor,
        executor.guest(make_order(shared / "one", user), Recorder()) as guest,
    ):
        yield guest


def test_without_network_nothing_is_reached_and_the_rest_stays_as_it_is(
    shared: Path,
    user: BuildUser,
    container_executor: ContainerExecutor,
    listener: tuple[str, int],
    containers: Containers,
) -> None:
    host, port = listener
    script = f"(exec 3<>/dev/tcp/{host}/{port}) && echo REACHED; tail -n +3 /proc/net/dev"
    order = make_order(shared / "one", user, {"PKGBUILD": pkgbuild("tool")})
    with container_executor.guest(order, Recorder()) as guest:
        assert guest.cuts_network
        _, online = bash(guest, script)
        _, offline = bash(guest, script, network=False)
        bash(guest, "echo installed > /usr/bin/of-root; echo kept > /tmp/kept", as_root=True)
        _, later = bash(guest, "cat /usr/bin/of-root /tmp/kept; ls", network=False)
        ending, watch = makepkg(guest, network=False)
        names = containers.run("ps", "--format", "{{.Names}}")

    assert "REACHED" in online.text
    assert "REACHED" not in offline.text
    assert [line.split(":")[0].strip() for line in offline.lines()[-1:]] == ["lo"]
    assert later.lines() == ["installed", "kept"]
    assert ending == StepResult(0), watch.text
    assert [path.name for path in order.folder.output.iterdir()] == ["tool-1-1-any.pkg.tar.zst"]
    owner = guest.container_names[0].rpartition("-")[0]
    assert owner in names
    assert owner not in containers.run("ps", "--all", "--format", "{{.Names}}")
    assert owner not in containers.run("images", "--format", "{{.Repository}}")


def test_root_has_what_pacman_needs_and_the_build_has_nothing(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor
) -> None:
    rights = "grep -E '^(CapEff|CapPrm|NoNewPrivs)' /proc/self/status"
    mark = f"as-root-{os.getpid()}-{shared.name}"
    order = make_order(shared / "one", user)
    outside: list[int] = []

    def look(watch: Recorder) -> None:
        if b"ready" in watch.data and not outside:
            for path in (Path(f"/proc/{pid}") for pid in processes_with(mark)):
                with suppress(OSError):  # the engine's own come and go
                    if (path / "comm").read_text() == "bash\n":
                        outside.append(path.stat().st_uid)
            (order.folder.build / "seen").touch()

    with container_executor.guest(order, Recorder()) as guest:
        _, builder = bash(guest, f"id -un; {rights}; echo x > /usr/x; chown 0 . ; su -c id")
        watch = Recorder(look)
        script = f"id -u; {rights}; : {mark}; mount -t tmpfs x /mnt; touch by-root; echo ready"
        script += "; while [[ ! -e seen ]]; do sleep 0.05; done"
        bash(guest, script, watch, as_root=True)
        ending, _ = bash(guest, "echo more >> by-root")
        with pytest.raises(ConfigError, match="would be lost"):
            bash(guest, "id", as_root=True, network=False)

    assert builder.lines()[0] == "builder"
    assert "CapEff:\t0000000000000000" in builder.lines()
    assert "CapPrm:\t0000000000000000" in builder.lines()
    assert "NoNewPrivs:\t1" in builder.lines()
    assert "/usr/x: Permission denied" in builder.text
    assert "Operation not permitted" in builder.text
    assert "uid=0" not in builder.text
    assert watch.lines()[0] == "0"
    assert "NoNewPrivs:\t1" in watch.lines()
    assert "mount:" in watch.text
    assert ending == StepResult(0)
    if container_executor.separates_users:
        assert outside
        assert 0 not in outside


def test_nothing_of_the_worker_is_there(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor
) -> None:
    secret = shared / "worker-key"
    secret.write_text("secret\n")
    user.give(secret)
    script = (
        f"cat {secret} /proc/*/environ | tr '\\0' '\\n'; ls -A / /home /run; "
        "touch /pkgbuilds/tool/x /caur-ci/x; echo x >> /pkgbuilds/tool/PKGBUILD"
    )
    order = make_order(shared / "one", user, {"PKGBUILD": "as it was\n"})
    with container_executor.guest(order, Recorder()) as guest:
        _, watch = bash(guest, script)
        _, by_root = bash(guest, script, as_root=True)

    for seen in (watch, by_root):
        assert "secret" not in seen.lines()
        assert "PYTEST" not in seen.text
        assert str(shared) not in seen.text.replace(f"{secret}: No such file", "")
        assert "cannot touch '/pkgbuilds/tool/x'" in seen.text
        assert "cannot touch '/caur-ci/x'" in seen.text
    assert (order.folder.source / "PKGBUILD").read_text() == "as it was\n"
    assert [path.name for path in order.folder.source.iterdir()] == ["PKGBUILD"]


def need_limits() -> None:
    if os.geteuid() != 0 and not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        pytest.skip("an ordinary user cannot limit containers with control groups of version 1")


def test_too_much_memory_is_refused_and_told(
    shared: Path, user: BuildUser, containers: Containers
) -> None:
    need_limits()
    hungry = "x=$(head -c 300M /dev/zero | tr '\\0' x); echo ${#x}"
    with guest_of(containers.settings(memory=128), shared, user) as guest:
        ending, watch = bash(guest, hungry)
        again, _ = bash(guest, "exit 3")
        usage = guest.usage()

    assert ending.code != 0
    assert ending.out_of_memory, watch.text
    assert again == StepResult(3)
    assert usage.peak_memory is not None
    assert 64 << 20 < usage.peak_memory <= 128 << 20


_FORGETFUL = """#!/bin/bash
for word in "$@"; do
  case $word in --memory*) ;; *) words+=("$word") ;; esac
done
exec {program} "${{words[@]}}"
"""


def test_a_limit_that_the_engine_does_not_set_is_not_relied_on(
    shared: Path,
    user: BuildUser,
    containers: Containers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if containers.engine != "podman":
        pytest.skip("the limits of docker are checked by docker")
    wrapper = tmp_path / "podman"
    wrapper.write_text(_FORGETFUL.format(program=shutil.which("podman")))
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    message = "cannot be limited to 128 MiB"
    settings = containers.settings(memory=128)
    with pytest.raises(GuestError, match=message), guest_of(settings, shared, user):
        pass


def test_too_many_processes_are_refused_and_ended(
    shared: Path, user: BuildUser, containers: Containers
) -> None:
    need_limits()
    mark = f"many-{os.getpid()}-{shared.name}"
    many = f": {mark}; for i in {{1..200}}; do setsid sleep 600 & done 2>&1; echo started; wait"
    watch = Recorder(lambda seen: Stop.STALLED if b"fork" in seen.data else None)
    with guest_of(containers.settings(cpus=1), shared, user, processes=60) as guest:
        ending, _ = bash(guest, many, watch)
        again, _ = bash(guest, "exit 3")

    assert ending.stopped is Stop.STALLED
    assert "fork" in watch.text
    assert again == StepResult(3)
    assert processes_with(mark) == []


def test_the_processors_are_limited(shared: Path, user: BuildUser, containers: Containers) -> None:
    need_limits()
    with guest_of(containers.settings(cpus=0.5), shared, user) as guest:
        inspected = containers.run(
            "inspect", "--format", "{{.HostConfig.NanoCpus}}", guest.container_names[0]
        )
    assert inspected.strip() == "500000000"


def test_a_container_that_cannot_be_is_no_fault_of_the_package(
    shared: Path, user: BuildUser, containers: Containers
) -> None:
    settings = replace(containers.settings(), image="localhost/nothing-of-this-name:1")
    message = "no image localhost/nothing-of-this-name:1"
    with pytest.raises(GuestError, match=message), guest_of(settings, shared, user):
        pass


def test_a_guest_that_is_not_wanted_any_more_is_not_made(
    shared: Path, user: BuildUser, container_executor: ContainerExecutor, containers: Containers
) -> None:
    watch = Recorder(lambda _: Stop.CANCELED)
    order = make_order(shared / "one", user)
    with pytest.raises(StoppedError) as caught, container_executor.guest(order, watch):
        pass
    assert caught.value.stop is Stop.CANCELED
    assert str(container_executor.owner) not in containers.run(
        "ps", "--all", "--format", "{{.Labels}}"
    )


_LONE_WORKER = """
import sys
from pathlib import Path
from scheduler.worker.executors.container.executor import ContainerExecutor
from scheduler.worker.users import BuildUser
from scheduler.settings import ContainerSettings
from tests.scheduler.worker.executors.builds import Recorder, bash, make_order
shared, uid, image, engine, network, users, script = sys.argv[1:]
settings = ContainerSettings(
    image=image, engine=engine, network=network, user_namespace=users == "True"
)
order = make_order(Path(shared, "one"), BuildUser(int(uid), int(uid)))
with ContainerExecutor.opened(settings, Path(shared, "containers")) as executor:
    with executor.guest(order, Recorder()) as guest:
        bash(guest, "true", network=False)
        bash(guest, script, network=False)
"""


def test_a_container_does_not_survive_its_worker_and_the_next_one_cleans_up(
    shared: Path, user: BuildUser, containers: Containers
) -> None:
    mark = f"lone-{os.getpid()}-{shared.name}"
    script = f"echo up > $PKGDEST/up; : {mark}; {STAYS}"
    settings = containers.settings()
    arguments = [str(shared), str(user.uid), settings.image, settings.engine, settings.network]
    worker = subprocess.Popen(
        [sys.executable, "-c", _LONE_WORKER, *arguments, str(settings.user_namespace), script],
        cwd=Path(__file__).parents[4],
    )
    try:
        eventually((shared / "one" / "output" / "up").exists)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()

    eventually(lambda: processes_with(mark) == [])
    (owner,) = (shared / "containers").glob("*.owner")
    assert owner.stem in containers.run("images", "--format", "{{.Repository}}")
    with ContainerExecutor.opened(settings, shared / "containers") as executor:
        executor.check()
    assert owner.stem not in containers.run("images", "--format", "{{.Repository}}")
    assert owner.stem not in containers.run("ps", "--all", "--format", "{{.Names}}")
    assert not owner.exists()


def test_only_what_dead_workers_left_is_swept(
    shared: Path, user: BuildUser, containers: Containers
) -> None:
    dead = shared / "dead.owner"
    dead.touch()
    with guest_of(containers.settings(), shared, user) as guest:
        container = containers.run(
            "run",
            "--detach",
            f"--label={OWNER_LABEL}={dead}",
            "--network=none",
            containers.image,
            "sleep",
            "600",
        ).strip()
        Engine.find(containers.engine).sweep()
        running = containers.run("ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}")
        ending, _ = bash(guest, "exit 3")

    assert container not in running
    assert guest.container_names[0] in running
    assert ending == StepResult(3)


def test_an_engine_that_is_not_there_or_does_not_work_is_told(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="allowed are podman and docker"):
        Engine.find("lxc")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="neither podman nor docker") as caught:
        Engine.find()
    assert "BUILDER_EXECUTOR=host" in caught.value.hint
    with pytest.raises(ProcessError, match="podman was not found"):
        Engine.find("podman")
    (tmp_path / "docker").write_text('#!/bin/sh\n[ "$1" = --version ] || exit 1\n')
    (tmp_path / "docker").chmod(0o755)
    engine = Engine.find()
    assert not engine.is_podman
    with pytest.raises(ConfigError, match="cannot be used"):
        engine.check()
