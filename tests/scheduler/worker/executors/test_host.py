"""Builds on this machine: what they see, what they cannot reach, and that nothing stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from scheduler.settings import ExtraRepository, TargetRepository
from scheduler.worker.executors.host.executor import HostExecutor
from scheduler.worker.executors.protocol import StepResult
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
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from scheduler.worker.users import BuildUser


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


def test_nothing_runs_as_root(shared: Path, user: BuildUser, executor: HostExecutor) -> None:
    assert not executor.has_root
    order = make_order(shared / "one", user)
    with (
        executor.guest(order, Recorder()) as guest,
        pytest.raises(ConfigError, match="nothing as root"),
    ):
        bash(guest, "id", as_root=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root builds as another user")
def test_without_bubblewrap_keys_that_builds_may_read_are_named(
    shared: Path, user: BuildUser, caplog: pytest.LogCaptureFixture
) -> None:
    keys = [shared / name for name in ("closed", "open", "owned")]
    for key, mode in zip(keys, (0o640, 0o644, 0o600), strict=True):
        key.touch(mode)
        key.chmod(mode)
    os.chown(keys[2], user.uid, 0)

    executor = HostExecutor(sandboxed=False, hidden=[*keys, shared / "missing"])
    with executor.guest(make_order(shared / "one", user), Recorder()):
        pass

    assert f"with {keys[1]} and {keys[2]}: only root is to read that" in caplog.text


def test_without_bubblewrap_no_step_is_without_network(shared: Path, user: BuildUser) -> None:
    order = make_order(shared / "one", user)
    with HostExecutor(sandboxed=False).guest(order, Recorder()) as guest:
        assert not guest.cuts_network
        with pytest.raises(ConfigError, match="needs bubblewrap or the container executor"):
            bash(guest, "true", network=False)


def test_a_step_without_network_reaches_nothing(
    shared: Path, user: BuildUser, sandboxed: HostExecutor, listener: tuple[str, int]
) -> None:
    script = (
        f"(exec 3<>/dev/tcp/{listener[0]}/{listener[1]}) && echo REACHED; "
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


def test_a_repository_that_the_builds_user_cannot_get_to_stops_no_build(
    shared: Path, user: BuildUser, sandboxed: HostExecutor
) -> None:
    repository = shared / "private" / "www" / "repo"
    repository.mkdir(parents=True)
    (shared / "private").chmod(0o700)
    server = f"{repository.parent.as_uri()}/$repo/$arch"
    target = TargetRepository(
        name="repo", extra_repos=(ExtraRepository(name="repo", servers=(server,)),)
    )
    order = make_order(shared / "one", user, target=target)
    with sandboxed.guest(order, Recorder()) as guest:
        ending, watch = bash(guest, "echo built")
        assert guest.published(Recorder()) == frozenset()

    assert ending == StepResult(0)
    assert watch.lines() == ["built"]


def test_where_pacman_knows_nothing_dependencies_are_not_looked_at_and_this_is_said(
    shared: Path, user: BuildUser
) -> None:
    executor = HostExecutor()
    if executor.installs_dependencies:
        pytest.skip("pacman knows what is installed on this machine")
    watch = Recorder()
    with executor.guest(make_order(shared / "one", user), Recorder()) as guest:
        assert guest.install(["nothing-of-this-name"], watch) == StepResult(0)
    assert "neither installed nor checked" in watch.text


@pytest.fixture
def pacman_database() -> None:
    """Have a database of pacman, which a machine that is not Arch gets with its first use only."""
    if not Path("/var/lib/pacman/local").is_dir():
        subprocess.run(["pacman", "--query"], check=False, capture_output=True)
        Path("/var/lib/pacman/local").mkdir(exist_ok=True)


@pytest.mark.usefixtures("pacman_database")
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


_LONE_WORKER = """
import sys
from pathlib import Path
from scheduler.worker.executors.host.executor import HostExecutor
from scheduler.worker.executors.protocol import Step
from scheduler.worker.users import BuildUser
from tests.scheduler.worker.executors.builds import Recorder, bash, make_order
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


def test_the_makepkg_conf_of_the_machine_decides_little(
    shared: Path, user: BuildUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A makepkg that looks for its settings beside itself.
    folder = shared / "bin"
    folder.mkdir()
    text = Path(shutil.which("makepkg") or "").read_text()
    assert "confdir='/etc'" in text
    (folder / "makepkg").write_text(text.replace("confdir='/etc'", f"confdir='{folder}'"))
    (folder / "makepkg").chmod(0o755)
    own = "\nBUILDENV=(distcc color ccache check sign)\nGPGKEY=0123456789ABCDEF\nDISTCC_HOSTS=x\n"
    own += "PKGDEST=/nowhere\nBUILDDIR=/nowhere\nPKGEXT=.pkg.tar.xz\nMAKEFLAGS=-j77\n"
    (folder / "makepkg.conf").write_text(Path("/etc/makepkg.conf").read_text() + own)
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    order = make_order(
        shared / "one", user, {"PKGBUILD": pkgbuild("tool", build='echo "settings of $confdir"')}
    )
    with HostExecutor(grace=0.3).guest(order, Recorder()) as guest:
        ending, watch = makepkg(guest)

    assert ending == StepResult(0), watch.text
    assert f"settings of {folder}" in watch.lines(), watch.text
    assert [path.name for path in order.folder.output.iterdir()] == ["tool-1-1-any.pkg.tar.zst"]
