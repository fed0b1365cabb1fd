"""Builds on this machine: what they see, what they cannot reach, and that nothing stays."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from scheduler.build.executors.host import HostExecutor
from scheduler.build.executors.protocol import Ending, Step, Stop
from scheduler.settings import ExtraRepository, TargetRepository
from tests.scheduler.build.executors.builds import STAYS, Recorder, bash, make_order, makepkg
from tests.support.packages import make_package, pkgbuild
from tests.support.queue import eventually
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.build.users import BuildUser


@pytest.fixture(params=["sandboxed", "bare"])
def executor(request: pytest.FixtureRequest) -> HostExecutor:
    sandboxed = request.param == "sandboxed"
    if sandboxed:
        need_tools("bwrap")
    return HostExecutor(grace=0.3, sandboxed=sandboxed)


@pytest.fixture
def sandboxed() -> HostExecutor:
    need_tools("bwrap")
    return HostExecutor(grace=0.3)


@pytest.fixture
def listener() -> Iterator[int]:
    """Return the port of something that listens on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:
        return False
    return state not in {b"Z", b"X"}


def processes_with(mark: str) -> list[int]:
    """Return the processes of this machine that have `mark` in their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in command and is_running(int(folder.name)):
                found.append(int(folder.name))
    return found


def test_a_package_is_built_by_a_user_without_rights(
    shared: Path, user: BuildUser, executor: HostExecutor
) -> None:
    text = pkgbuild("tool", version="1.2", head="epoch=3", build="id -u; sudo -n echo ROOT || true")
    order = make_order(shared / "one", user, {"PKGBUILD": text}, packager="Me <me@example.org>")
    with executor.guest(order, Recorder()) as guest:
        ending, watch = makepkg(guest)

    assert ending == Ending(0), watch.text
    (package,) = order.folder.output.iterdir()
    assert package.name == "tool-3:1.2-1-any.pkg.tar.zst"
    assert package.stat().st_uid == user.uid
    assert str(user.uid) in watch.lines()
    assert "ROOT" not in watch.text
    assert user.uid != 0
    info = subprocess.check_output(["bsdtar", "-xOf", package, ".PKGINFO"])
    assert b"packager = Me <me@example.org>" in info


def test_a_step_sees_nothing_of_our_environment(
    shared: Path, user: BuildUser, executor: HostExecutor, monkeypatch: pytest.MonkeyPatch
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
    shared: Path, user: BuildUser, executor: HostExecutor
) -> None:
    text = "printf '\\xff\\xfe\\0'; head -c 3000000 /dev/zero | tr '\\0' x; printf '\\nend'"
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, watch = bash(guest, text)

    assert ending == Ending(0)
    assert watch.data == b"\xff\xfe\0" + 3_000_000 * b"x" + b"\nend"


@pytest.mark.parametrize(
    ("script", "code"), [("exit 123", 123), ("kill -SEGV $$", 139), ("nothing-of-this-name", 127)]
)
def test_the_code_is_that_of_the_command(
    shared: Path, user: BuildUser, executor: HostExecutor, script: str, code: int
) -> None:
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, _ = bash(guest, script)
        missing = guest.run(Step(command=["/nothing"], directory=guest.paths.build), Recorder())

    assert ending == Ending(code)
    assert missing.code in {1, 127}


def test_a_step_that_ignores_every_wish_is_ended(
    shared: Path, user: BuildUser, executor: HostExecutor
) -> None:
    mark = f"deaf-{os.getpid()}-{shared.name}"
    watch = Recorder(lambda seen: Stop.TIMEOUT if b"ready" in seen.data else None)
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, _ = bash(guest, f"echo ready; : {mark}; {STAYS}", watch)
        again, _ = bash(guest, "exit 3")

    assert ending.stopped is Stop.TIMEOUT
    assert ending.code > 128
    assert processes_with(mark) == []
    assert again == Ending(3)


def test_what_a_step_leaves_running_is_ended(
    shared: Path, user: BuildUser, executor: HostExecutor
) -> None:
    mark = f"left-{os.getpid()}-{shared.name}"
    daemon = f"setsid bash -c ': {mark}; echo $$ > $PKGDEST/pid; {STAYS.replace(chr(39), '')}'"
    script = (
        f"{daemon} </dev/null >/dev/null 2>&1 & while [ ! -s $PKGDEST/pid ]; do sleep 0.02; done"
    )
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, _ = bash(guest, script)

    assert ending == Ending(0)
    assert processes_with(mark) == []


def test_a_leftover_that_holds_the_output_open_does_not_hold_us(
    shared: Path, user: BuildUser, executor: HostExecutor
) -> None:
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending, _ = bash(guest, f"setsid bash -c '{STAYS.replace(chr(39), '')}' & sleep 0.1")

    assert ending == Ending(0)


def test_what_was_used_is_told(shared: Path, user: BuildUser, executor: HostExecutor) -> None:
    burn = "end=$((SECONDS + 2)); while ((SECONDS < end)); do :; done"
    fill = 'python3 -c "x = bytearray(80 << 20); import time; time.sleep(1.5)"'
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        _, watch = bash(guest, f"{fill}; {burn}")
        usage = guest.usage()

    assert usage.cpu_seconds is not None
    assert usage.peak_memory is not None
    assert usage.cpu_seconds > 0.3
    assert 80 << 20 <= usage.peak_memory < 400 << 20
    last = watch.usages[-1]
    assert last.cpu_seconds is not None
    assert 0.1 < last.cpu_seconds <= usage.cpu_seconds


def test_nothing_runs_as_root(shared: Path, user: BuildUser, executor: HostExecutor) -> None:
    assert not executor.has_root
    order = make_order(shared / "one", user)
    with (
        executor.guest(order, Recorder()) as guest,
        pytest.raises(ConfigError, match="nothing as root"),
    ):
        bash(guest, "id", as_root=True)


def test_without_bubblewrap_no_step_is_without_network(shared: Path, user: BuildUser) -> None:
    order = make_order(shared / "one", user)
    with HostExecutor(sandboxed=False).guest(order, Recorder()) as guest:
        assert not guest.cuts_network
        with pytest.raises(ConfigError, match="needs bubblewrap or the container executor"):
            bash(guest, "true", network=False)


def test_a_step_without_network_reaches_nothing(
    shared: Path, user: BuildUser, sandboxed: HostExecutor, listener: int
) -> None:
    script = (
        f"exec 3<>/dev/tcp/127.0.0.1/{listener} && echo REACHED; "
        "tail -n +3 /proc/net/dev | cut -d : -f 1"
    )
    with sandboxed.guest(make_order(shared / "one", user), Recorder()) as guest:
        assert guest.cuts_network
        _, with_network = bash(guest, script)
        _, without = bash(guest, script, network=False)

    assert "REACHED" in with_network.text
    assert "REACHED" not in without.text
    assert without.lines()[-1].strip() == "lo"


def test_the_package_is_read_only_and_little_else_is_there(
    shared: Path, user: BuildUser, sandboxed: HostExecutor, tmp_path: Path
) -> None:
    key = Path("/etc/caur-ci-test") / shared.name
    secret = shared / "landing"
    secret.write_text("secret")
    script = (
        f"echo more >> {{source}}/PKGBUILD; touch {{source}}/x /usr/x /caur-ci/x /x; "
        f"cat {secret} {key}; ls -A / /tmp /run /home /var; "
        "touch /tmp/mine /home/builder/mine && echo WRITABLE"
    )
    order = make_order(shared / "one", user, {"PKGBUILD": "as it was\n"})
    with sandboxed.guest(order, Recorder()) as guest:
        _, watch = bash(guest, script.format(source=guest.paths.source))

    assert "WRITABLE" in watch.text
    assert "secret" not in watch.lines()
    assert (order.folder.source / "PKGBUILD").read_text() == "as it was\n"
    assert [path.name for path in order.folder.source.iterdir()] == ["PKGBUILD"]
    for path in ("/usr/x", "/caur-ci/x", "/x"):
        assert f"touch: cannot touch '{path}'" in watch.text
    for name in ("root", "srv", "work", "mnt"):
        assert name not in watch.lines()


def test_no_other_process_is_seen_and_rights_cannot_be_gained(
    shared: Path, user: BuildUser, sandboxed: HostExecutor
) -> None:
    script = (
        "ls /proc | grep -c '^[0-9]'; cat /proc/*/environ | tr '\\0' '\\n'; "
        "grep -E '^(Cap(Prm|Eff|Bnd)|NoNewPrivs)' /proc/self/status; hostname"
    )
    with sandboxed.guest(make_order(shared / "one", user), Recorder()) as guest:
        _, watch = bash(guest, script)

    lines = watch.lines()
    assert int(lines[0]) < 8
    assert not any(line.startswith("PYTEST") for line in lines)
    assert [line.split()[1] for line in lines if line.startswith("Cap")] == ["0" * 16] * 3
    assert "NoNewPrivs:\t1" in lines
    assert lines[-1] == "builder"


def test_what_is_hidden_is_covered_and_what_is_readable_is_read_only(
    shared: Path, user: BuildUser
) -> None:
    need_tools("bwrap")
    readable = shared / "upstream"
    readable.mkdir()
    (readable / "source").write_text("of the source\n")
    (readable / "key").write_text("secret\n")
    (readable / "landing").mkdir()
    (readable / "landing" / "file").write_text("secret\n")
    for path in (readable, readable / "key", readable / "landing"):
        user.give(path)
    executor = HostExecutor(
        readable=[readable], hidden=[readable / "key", readable / "landing", shared / "nothing"]
    )
    script = f"cd {readable}; cat source key landing/*; echo x > source; echo x > new"
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        _, watch = bash(guest, script)

    assert "of the source" in watch.lines()
    assert "secret" not in watch.lines()
    assert (readable / "source").read_text() == "of the source\n"
    assert not (readable / "new").exists()


def test_the_folders_of_the_guest_are_those_of_the_build(
    shared: Path, user: BuildUser, executor: HostExecutor
) -> None:
    cache = shared / "cache"
    cache.mkdir()
    user.give(cache)
    order = make_order(shared / "one", user, downloads=cache)
    with executor.guest(order, Recorder()) as guest:
        paths = guest.paths
        script = f"touch {paths.output}/o {paths.downloads}/d {paths.reports}/r {paths.build}/b"
        ending, watch = bash(guest, f'{script}; ls {paths.scripts}; echo "$BUILDDIR $SRCDEST"')

    assert ending == Ending(0), watch.text
    folder = order.folder
    for path in (folder.output / "o", cache / "d", folder.reports / "r", folder.build / "b"):
        assert path.exists()
    assert "published.sh" in watch.lines()
    assert f"{paths.build} {paths.downloads}" in watch.lines()


def test_a_full_disk_is_an_error_of_the_step_and_no_more(
    shared: Path, user: BuildUser, executor: HostExecutor
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
    assert "code 1" in watch.lines()
    assert (ending, again) == (Ending(0), Ending(3))


def test_where_pacman_knows_nothing_dependencies_are_not_looked_at_and_this_is_said(
    shared: Path, user: BuildUser
) -> None:
    executor = HostExecutor()
    if executor.installs_dependencies:
        pytest.skip("pacman knows what is installed on this machine")
    watch = Recorder()
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        assert guest.install(["nothing-of-this-name"], watch) == Ending(0)
    assert "neither installed nor checked" in watch.text


def test_where_pacman_knows_what_is_installed_a_missing_dependency_is_told(
    shared: Path, user: BuildUser
) -> None:
    executor = HostExecutor()
    executor.installs_dependencies = True
    watch = Recorder()
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        ending = guest.install(["nothing-of-this-name>=2"], watch)
    assert ending.code != 0
    assert "nothing-of-this-name>=2" in watch.lines()


def test_the_file_names_of_the_target_repository_are_read(
    shared: Path, user: BuildUser, executor: HostExecutor
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
        name="repo", extra_repos=(ExtraRepository(name="repo", servers=(server,)),)
    )
    order = make_order(shared / "one", user, target=target)
    other = make_order(shared / "two", user)
    with executor.guest(order, Recorder()) as guest:
        assert guest.published(Recorder()) == {path.name for path in packages}
        shutil.rmtree(place)
        assert guest.published(Recorder()) == frozenset()
    with executor.guest(other, Recorder()) as guest:
        assert guest.published(Recorder()) == frozenset()


_LONE_WORKER = """
import sys
from pathlib import Path
from scheduler.build.executors.host import HostExecutor
from scheduler.build.executors.protocol import Step
from scheduler.build.users import BuildUser
from tests.scheduler.build.executors.builds import Recorder, bash, make_order
order = make_order(Path(sys.argv[1]), BuildUser(int(sys.argv[2]), int(sys.argv[2])))
with HostExecutor(grace=0.2, sandboxed=sys.argv[3] == "sandboxed").guest(order, None) as guest:
    bash(guest, sys.argv[4])
"""


@pytest.mark.parametrize("kind", ["sandboxed", "bare"])
def test_a_build_does_not_survive_its_worker(shared: Path, user: BuildUser, kind: str) -> None:
    mark = f"lone-{os.getpid()}-{shared.name}"
    if kind == "sandboxed":
        need_tools("bwrap")
    script = f"setsid bash -c 'echo $$ > $PKGDEST/pid; : {mark}; {STAYS.replace(chr(39), '')}'"
    arguments = [str(shared / "one"), str(user.uid), kind, script]
    worker = subprocess.Popen(
        [sys.executable, "-c", _LONE_WORKER, *arguments], cwd=Path(__file__).parents[4]
    )
    pid_file = shared / "one" / "output" / "pid"
    try:
        eventually(lambda: pid_file.exists() and pid_file.read_text().strip() != "")
        assert len(processes_with(mark)) > 1
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()

    eventually(lambda: processes_with(mark) == [])


def test_a_missing_tool_is_told_before_the_first_build(monkeypatch: pytest.MonkeyPatch) -> None:
    HostExecutor().check()
    with tempfile.TemporaryDirectory() as empty:
        monkeypatch.setenv("PATH", empty)
        with pytest.raises(Exception, match="the program makepkg was not found"):
            HostExecutor().check()
