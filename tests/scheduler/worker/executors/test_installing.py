"""Dependencies on a machine that is thrown away: a copy of this one, made of overlays."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from scheduler.worker.executors.host.installer import Installer
from tests.support.overlays import in_overlays
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scheduler.worker.executors.repository import Repository

BUILDS = """
import sys
from dataclasses import replace
from pathlib import Path
from scheduler.settings import ExtraRepository, TargetRepository
from scheduler.worker.executors.host.executor import HostExecutor
from scheduler.worker.executors.protocol import StepResult
from scheduler.worker.users import build_user
from tests.scheduler.worker.executors.builds import Recorder, bash, make_order, makepkg
from tests.support.packages import pkgbuild

place, server, key = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
target = TargetRepository(
    name="repo",
    extra_repos=(ExtraRepository(name="repo", servers=(server,), sig_level="Required"),),
    keys=(key,),
)
text = pkgbuild("tool", head="makedepends=('measure>=2')", build="cat /usr/share/a; echo; id -u")
executor = HostExecutor(grace=0.3, installs=True)
with build_user() as user:
    for number in range(2):
        order = make_order(place / str(number), user, {"PKGBUILD": text}, target=target)
        watch = Recorder()
        with executor.guest(order, watch) as guest:
            assert guest.install(["nowhere"], Recorder()).code != 0
            assert guest.install(["measure>=2"], watch) == StepResult(0), watch.text
            assert ("installing measure>=2" in watch.text) == (number == 0), watch.text
            ending, built = makepkg(guest)
            assert ending == StepResult(0), built.text
            assert f"of a\\n{user.uid}\\n" in built.text
            _, told = bash(guest, "echo $PACMAN_REPO")
            assert told.lines() == ["repo"]
            for path in ("/usr/share/b", "/etc/pacman.conf", "/var/lib/pacman/b"):
                ending, _ = bash(guest, f"touch {path}")
                assert ending.code == 1, path
assert Path("/etc/pacman.conf").read_text().count("[repo]") == 1
print("both were built")
"""


def test_dependencies_are_installed_as_root_and_builds_have_no_rights(
    shared: Path, repository: Repository
) -> None:
    need_tools("unshare", "makepkg", "pacman", "fakeroot")
    if os.geteuid() != 0:
        pytest.skip("only root can make overlays here")
    (extra,) = repository.target().extra_repos
    arguments = [str(shared), extra.servers[0], str(repository.key.public)]
    ended = subprocess.run(
        in_overlays(shared, [sys.executable, "-c", BUILDS, *arguments]),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.stdout == "both were built\n", ended.stderr


def test_one_worker_at_a_time_installs_on_a_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.worker.executors.host.installer._LOCK", tmp_path / "lock")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    first = Installer()
    with pytest.raises(ConfigError, match="another worker installs"):
        Installer()
    del first
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ConfigError, match="only root"):
        Installer()
