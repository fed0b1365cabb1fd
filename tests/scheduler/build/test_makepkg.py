"""The makepkg executor: what a build sees, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scheduler.build.executor import BuildFolder, BuildOrder, Ending, Stop
from scheduler.build.makepkg import MakepkgExecutor
from tests.support.packages import pkgbuild
from tests.support.queue import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler.build.users import BuildUser

# A process that wants to stay: a session of its own, deaf to every polite signal.
STAYS = "(trap '' TERM HUP INT; while :; do sleep 0.1; done)"


class Build:
    """One build in `root`, with all that it printed."""

    def __init__(self, root: Path, user: BuildUser, text: str, **order: str) -> None:
        self.folder = BuildFolder(root=root / "build")
        self.folder.root.mkdir()
        self.folder.root.chmod(0o711)
        self.folder.package.mkdir()
        (self.folder.package / "PKGBUILD").write_text(text)
        values = {"arch": "x86_64", **order}
        self.order = BuildOrder(folder=self.folder, user=user, **values)  # type: ignore[arg-type]
        self.output = b""

    def run(
        self, should_stop: Callable[[], Stop | None] = lambda: None, *, grace: float = 0.3
    ) -> Ending:
        def add(data: bytes) -> None:
            self.output += data

        executor = MakepkgExecutor(grace=grace)
        return executor.build(self.order, output=add, should_stop=should_stop)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.output.iterdir())

    def pid(self, name: str) -> int:
        return int((self.folder.output / name).read_text())


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:
        return False
    return state not in {b"Z", b"X"}


def test_a_package_is_built_by_a_user_without_rights(shared: Path, user: BuildUser) -> None:
    build = Build(
        shared,
        user,
        pkgbuild("tool+", version="1.2", head="epoch=3", build="id -u; sudo -n echo ROOT || true"),
        packager="Me <me@example.org>",
    )

    assert build.run() == Ending(0)
    assert build.files() == ["tool+-3:1.2-1-any.pkg.tar.zst"]
    assert f"\n{user.uid}\n".encode() in build.output
    assert b"ROOT" not in build.output
    assert user.uid != 0
    info = subprocess.check_output(
        ["bsdtar", "-xOf", build.folder.output / build.files()[0], ".PKGINFO"]
    )
    assert b"packager = Me <me@example.org>" in info


def test_a_build_sees_nothing_of_our_environment(
    shared: Path, user: BuildUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCESS_TOKEN", "REDIS_PASSWORD", "PACKAGE_REPOS", "GNUPGHOME", "ANYTHING"):
        monkeypatch.setenv(name, "hidden-value")
    build = Build(
        shared,
        user,
        pkgbuild("tool", build='cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n"; env'),
        environment={"CI_CODE_SKIP": "123"},  # type: ignore[arg-type]
    )

    assert build.run() == Ending(0)
    assert b"CI_CODE_SKIP=123" in build.output
    assert f"HOME={build.folder.home}".encode() in build.output
    if user.is_other:
        assert b"hidden-value" not in build.output
    assert not any(line.startswith(b"ANYTHING=") for line in build.output.split(b"\n")[-60:])


def test_make_gets_the_flags_of_the_worker(shared: Path, user: BuildUser) -> None:
    build = Build(
        shared, user, pkgbuild("tool", build='echo "[$MAKEFLAGS]"'), makeflags="-j3 'it is'"
    )

    assert build.run() == Ending(0)
    assert b"[-j3 'it is']" in build.output


def test_any_output_arrives_as_it_was_printed(shared: Path, user: BuildUser) -> None:
    text = "printf '\\xff\\xfe\\0'; head -c 3000000 /dev/zero | tr '\\0' x; printf '\\nend'"
    build = Build(shared, user, pkgbuild("tool", build=text))

    assert build.run() == Ending(0)
    assert b"\xff\xfe\0" + 3_000_000 * b"x" + b"\nend" in build.output


@pytest.mark.parametrize("place", ["head", "build", "package"])
def test_the_exit_code_of_a_package_is_the_code_of_the_build(
    shared: Path, user: BuildUser, place: str
) -> None:
    assert Build(shared, user, pkgbuild("tool", **{place: "exit 123"})).run() == Ending(123)


def test_a_failing_build_and_a_foreign_architecture_have_makepkgs_codes(
    shared: Path, user: BuildUser
) -> None:
    (shared / "one").mkdir(mode=0o711)
    (shared / "two").mkdir(mode=0o711)
    assert Build(shared / "one", user, pkgbuild("tool", build="false")).run() == Ending(4)
    other = pkgbuild("tool").replace("arch=(any)", "arch=(riscv64)")
    build = Build(shared / "two", user, other)
    assert build.run().code != 0
    assert b"x86_64" in build.output


def test_a_build_that_ignores_every_wish_is_ended(shared: Path, user: BuildUser) -> None:
    build = Build(
        shared,
        user,
        pkgbuild("tool", build=f'echo $BASHPID > "$PKGDEST/pid"; echo ready; {STAYS}'),
    )

    def stop() -> Stop | None:
        return Stop.TIMEOUT if b"ready" in build.output else None

    assert build.run(stop).stopped is Stop.TIMEOUT
    assert not is_running(build.pid("pid"))


def test_what_a_build_leaves_running_is_ended(shared: Path, user: BuildUser) -> None:
    daemon = (
        f"setsid bash -c \"echo \\$\\$ > '$PKGDEST/pid'; {STAYS}\" >/dev/null 2>&1 </dev/null &"
    )
    build = Build(
        shared,
        user,
        pkgbuild("tool", build=f'{daemon} while [ ! -s "$PKGDEST/pid" ]; do sleep 0.05; done'),
    )

    assert build.run() == Ending(0)
    assert "tool-1-1-any.pkg.tar.zst" in build.files()
    assert not is_running(build.pid("pid"))
    assert b"processes that the build left behind were ended" in build.output


def test_a_leftover_that_holds_the_output_open_does_not_hold_us(
    shared: Path, user: BuildUser
) -> None:
    build = Build(shared, user, pkgbuild("tool", build=f'setsid bash -c "{STAYS}" & sleep 0.1'))
    started = time.monotonic()

    assert build.run() == Ending(0)
    assert time.monotonic() - started < 60


_LONE_WORKER = """
import os, sys
from pathlib import Path
from scheduler.build.executor import BuildFolder, BuildOrder
from scheduler.build.makepkg import MakepkgExecutor
from scheduler.build.users import BuildUser
user = BuildUser(int(sys.argv[2]), int(sys.argv[2]))
order = BuildOrder(folder=BuildFolder(root=Path(sys.argv[1])), user=user, arch="x86_64")
MakepkgExecutor(grace=0.2).build(order, output=lambda data: None, should_stop=lambda: None)
"""


def test_a_build_does_not_survive_its_worker(shared: Path, user: BuildUser) -> None:
    build = Build(shared, user, pkgbuild("tool", build=f'echo $BASHPID > "$PKGDEST/pid"; {STAYS}'))
    command = [sys.executable, "-c", _LONE_WORKER, str(build.folder.root), str(user.uid)]
    worker = subprocess.Popen(command, cwd=Path(__file__).parents[3])
    pid_file = build.folder.output / "pid"
    try:
        eventually(lambda: pid_file.exists() and pid_file.read_text().strip() != "")
        assert is_running(build.pid("pid"))
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()

    eventually(lambda: not is_running(build.pid("pid")))
