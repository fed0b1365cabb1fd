"""What every executor does: how steps end, what they see, and that nothing of them stays."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from scheduler.settings import ExtraRepository, TargetRepository
from scheduler.worker.executors.container.executor import ContainerExecutor
from scheduler.worker.executors.host.executor import HostExecutor
from scheduler.worker.executors.protocol import Step, StepResult, Stop
from scheduler.worker.executors.step_process import CollectingWatch
from tests.scheduler.worker.executors.builds import (
    STAYS,
    Recorder,
    bash,
    make_order,
    makepkg,
    processes_with,
)
from tests.support.containers import need_containers
from tests.support.packages import make_package, pkgbuild
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scheduler.worker.executors.protocol import Executor
    from scheduler.worker.users import BuildUser


@pytest.fixture(params=["sandboxed", "bare", "container"])
def executor(
    request: pytest.FixtureRequest, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Executor]:
    if request.param == "container":
        settings = need_containers(monkeypatch).settings()
        with ContainerExecutor.opened(settings, shared / "containers") as executor:
            yield executor
        return
    sandboxed = request.param == "sandboxed"
    if sandboxed:
        need_tools("bwrap")
    yield HostExecutor(grace=0.3, sandboxed=sandboxed)


def test_a_package_is_built_by_a_user_without_rights(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    text = pkgbuild("tool", version="1.2", head="epoch=3", build="id -u; sudo -n echo ROOT || true")
    order = make_order(shared / "one", user, {"PKGBUILD": text}, packager="Me <me@example.org>")
    with executor.guest(order, Recorder()) as guest:
        ending, watch = makepkg(guest)

    assert ending == StepResult(0), watch.text
    (package,) = order.folder.output.iterdir()
    assert package.name == "tool-3:1.2-1-any.pkg.tar.zst"
    assert package.stat().st_uid != 0
    assert "0" not in watch.lines()
    assert "ROOT" not in watch.text
    info = subprocess.check_output(["bsdtar", "-xOf", package, ".PKGINFO"])
    assert b"packager = Me <me@example.org>" in info


def test_a_step_sees_nothing_of_our_environment(
    shared: Path, user: BuildUser, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCESS_TOKEN", "REDIS_PASSWORD", "PACKAGE_REPOS", "GNUPGHOME", "ANYTHING"):
        monkeypatch.setenv(name, "hidden-value")
    order = make_order(
        shared / "one", user, environment={"CI_CODE_SKIP": "123"}, makeflags="-j3 'it is'"
    )
    with executor.guest(order, Recorder()) as guest:
        _, watch = bash(guest, "env", environment={"OF_THE_STEP": "1"})

    shown = dict(line.split("=", 1) for line in watch.lines() if "=" in line)
    assert shown["CI_CODE_SKIP"] == "123"
    assert shown["OF_THE_STEP"] == "1"
    assert shown["MAKEFLAGS"] == "-j3 'it is'"
    assert shown["HOME"] == str(guest.paths.home)
    assert "hidden-value" not in watch.text
    assert not {"ANYTHING", "GNUPGHOME", "PACKAGE_REPOS"} & set(shown)


def test_any_output_arrives_as_it_was_printed(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    text = "printf '\\xff\\xfe\\0'; head -c 3000000 /dev/zero | tr '\\0' x; printf '\\nend'"
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, watch = bash(guest, text)

    assert ending == StepResult(0)
    assert watch.data == b"\xff\xfe\0" + 3_000_000 * b"x" + b"\nend"


def test_errors_stand_where_they_came(shared: Path, user: BuildUser, executor: Executor) -> None:
    script = "for number in {1..300}; do echo $number; echo $number >&2; done"
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        _, watch = bash(guest, script)
    assert watch.lines() == [str(number) for number in range(1, 301) for _ in range(2)]


@pytest.mark.parametrize(
    ("script", "code"), [("exit 123", 123), ("kill -SEGV $$", 139), ("nothing-of-this-name", 127)]
)
def test_the_code_is_that_of_the_command(
    shared: Path, user: BuildUser, executor: Executor, script: str, code: int
) -> None:
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, _ = bash(guest, script)
        missing = guest.run(Step(command=["/nothing"], directory=guest.paths.build), Recorder())

    assert ending == StepResult(code)
    assert missing.code in {1, 127}


def test_a_step_that_ignores_every_wish_is_ended(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    mark = f"deaf-{os.getpid()}-{shared.name}"
    watch = Recorder(lambda seen: Stop.TIMEOUT if b"ready" in seen.data else None)
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, _ = bash(guest, f"echo ready; : {mark}; {STAYS}", watch)
        again, _ = bash(guest, "exit 3")

    assert ending.stopped is Stop.TIMEOUT
    assert ending.code > 128
    assert processes_with(mark) == []
    assert again == StepResult(3)


def test_what_a_step_leaves_running_is_ended(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    mark = f"left-{os.getpid()}-{shared.name}"
    daemon = f"setsid bash -c ': {mark}; echo $$ > $PKGDEST/pid; {STAYS.replace(chr(39), '')}'"
    script = (
        f"{daemon} </dev/null >/dev/null 2>&1 & while [ ! -s $PKGDEST/pid ]; do sleep 0.02; done"
    )
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, _ = bash(guest, script)
        left = processes_with(mark)

    assert ending == StepResult(0)
    assert left == []


def test_a_leftover_that_holds_the_output_open_does_not_hold_us(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, _ = bash(guest, f"setsid bash -c '{STAYS.replace(chr(39), '')}' & sleep 0.1")

    assert ending == StepResult(0)


def test_what_was_used_is_told(shared: Path, user: BuildUser, executor: Executor) -> None:
    # Two processes that hold that much at the same time, until somebody reads it.
    fill = "head -c 60M /dev/zero | tail -c 60M | (sleep 2; cat >/dev/null)"
    burn = "end=$((SECONDS + 2)); while ((SECONDS < end)); do :; done"
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        _, watch = bash(guest, f"{fill} & {fill} & {burn}; wait")
        usage = guest.usage()

    assert usage.cpu_seconds is not None
    assert usage.peak_memory is not None
    assert usage.cpu_seconds > 0.3
    assert 110_000_000 <= usage.peak_memory < 600_000_000
    last = watch.usages[-1]
    assert last.cpu_seconds is not None
    assert 0.1 < last.cpu_seconds <= usage.cpu_seconds


def test_the_folders_of_the_guest_are_those_of_the_build(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    order = make_order(shared / "one", user)
    order.folder.downloads.mkdir()
    (order.folder.downloads / "kept").touch()
    with executor.guest(order, Recorder()) as guest:
        paths = guest.paths
        script = f"touch {paths.output}/o {paths.downloads}/d {paths.reports}/r {paths.build}/b"
        script += f"; mv {paths.downloads}/kept {paths.downloads}/taken"
        ending, watch = bash(guest, f'{script}; ls {paths.scripts}; echo "$BUILDDIR $SRCDEST"')

    assert ending == StepResult(0), watch.text
    folder = order.folder
    for path in (
        folder.output / "o",
        folder.downloads / "d",
        folder.reports / "r",
        folder.build / "b",
    ):
        assert path.exists()
    assert "published.sh" in watch.lines()
    assert f"{paths.build} {paths.downloads}" in watch.lines()


def test_a_full_disk_is_an_error_of_the_step_and_no_more(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    root = shared / "small"
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=711", "tmpfs", root], check=True)
    try:
        order = make_order(root / "one", user)
        with executor.guest(order, Recorder()) as guest:
            ending, watch = bash(guest, "head -c 8M /dev/zero > file; echo code $?; rm file")
            again, _ = bash(guest, "exit 3")
    finally:
        subprocess.run(["umount", root], check=True)

    assert "No space left on device" in watch.text
    # What is printed and what is told of errors come by ways of their own.
    assert "code 1" in watch.text
    assert (ending, again) == (StepResult(0), StepResult(3))


def test_the_file_names_of_the_target_repository_are_read(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    need_tools("repo-add", "curl")
    place = shared / "repos" / "repo" / "x86_64"
    place.mkdir(parents=True)
    for name in ("one", "two"):
        make_package(place, name)
    database = place / "repo.db.tar.zst"
    packages = sorted(place.glob("*.pkg.tar.zst"))
    subprocess.run(["repo-add", "--quiet", database, *packages], check=True, capture_output=True)
    server = f"{(shared / 'repos').as_uri()}/$repo/$arch"
    target = TargetRepository(
        name="repo",
        extra_repos=(ExtraRepository(name="repo", servers=(server,), sig_level="Never"),),
    )
    with executor.guest(make_order(shared / "one", user, target=target), Recorder()) as guest:
        assert guest.published(Recorder()) == {path.name for path in packages}
    with executor.guest(make_order(shared / "two", user), Recorder()) as guest:
        assert guest.published(Recorder()) == frozenset()
    shutil.rmtree(place)
    with executor.guest(make_order(shared / "three", user, target=target), Recorder()) as guest:
        assert guest.published(Recorder()) == frozenset()


def test_a_step_of_ours_takes_nothing_of_what_the_build_has_left(
    shared: Path, user: BuildUser, executor: Executor
) -> None:
    look = 'cd; pwd; ls -A; touch "$HOME/mine" && echo written'
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        bash(guest, 'echo "output = -" > "$HOME/.curlrc"')
        own = Step(command=["bash", "-c", look], directory=guest.paths.build, own=True)
        watch = Recorder()
        guest.run(own, watch)

    assert watch.lines()[0] != str(guest.paths.home)
    assert ".curlrc" not in watch.lines()
    if user.is_other:
        assert "written" not in watch.lines()


def test_what_is_collected_has_an_end(shared: Path, user: BuildUser, executor: Executor) -> None:
    collected = CollectingWatch(Recorder(), limit=1000)
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        step = Step(command=["yes"], directory=guest.paths.build, own=True)
        ending = guest.run(step, collected)
        again, _ = bash(guest, "exit 3")

    assert ending.stopped is Stop.OUTPUT
    assert len(collected.data) <= 1000
    assert again == StepResult(3)
