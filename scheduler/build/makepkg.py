"""Builds with this machine's makepkg, as a user without rights."""

from __future__ import annotations

import os
import platform
import selectors
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.process import missing_tool
from scheduler.build import supervisor
from scheduler.build.executor import Ending, Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler.build.executor import BuildFolder, BuildOrder

DEFAULT_GRACE = 5.0
_ASKED_EVERY = 0.2
_DRAINED_WITHIN = 2.0
_READ_SIZE = 256 * 1024
_STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
# Dependencies are not installed on the worker's own system, and packages are signed when they
# are published, by a key that no worker has.
_OPTIONS = ("--nodeps", "--skippgpcheck", "--nosign", "--noconfirm", "--nocolor")


class MakepkgExecutor:
    """Runs makepkg on this machine.

    `grace` is the number of seconds between asking a build to end and ending it.
    """

    def __init__(self, *, grace: float = DEFAULT_GRACE) -> None:
        self._grace = grace

    def build(
        self,
        order: BuildOrder,
        *,
        output: Callable[[bytes], None],
        should_stop: Callable[[], Stop | None],
    ) -> Ending:
        """Build `order`; see `Executor.build`."""
        makepkg = shutil.which("makepkg")
        if makepkg is None:
            raise missing_tool("makepkg")
        _prepare(order, makepkg)
        try:
            with self._start(order, makepkg) as process:
                stopped = _follow(process, output, should_stop)
            return Ending(process.returncode, stopped)
        finally:
            order.user.end_processes()

    def _start(self, order: BuildOrder, makepkg: str) -> subprocess.Popen[bytes]:
        uid, gid = (order.user.uid, order.user.gid) if order.user.is_other else (-1, -1)
        # Isolated, so that nothing of the build's environment reaches this Python.
        python = [sys.executable, "-I", supervisor.__file__]
        return subprocess.Popen(
            [*python, str(uid), str(gid), str(self._grace), makepkg, *_OPTIONS],
            cwd=order.folder.package,
            env=_environment(order, makepkg),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def machine_builds(arch: str) -> bool:
    """Tell whether makepkg can build for `arch` on this machine."""
    own = platform.machine()
    # x86_64_v3 and the like are the same machine with more instructions.
    return arch == own or arch.startswith(f"{own}_v")


def _prepare(order: BuildOrder, makepkg: str) -> None:
    folder = order.folder
    for path in (folder.output, folder.sources, folder.work, folder.home, folder.temporary):
        path.mkdir()
    # makepkg reads this file after the machine's makepkg.conf.
    settings = f"MAKEFLAGS={shlex.quote(order.makeflags)}\n" if order.makeflags else ""
    settings += _repairs(Path(makepkg))
    (folder.home / ".makepkg.conf").write_text(settings, encoding="utf-8")
    # Sources that lie on this machine belong to somebody else, which git minds by default.
    (folder.home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n", encoding="utf-8")
    for path in folder.root.iterdir():
        order.user.give(path)


def _repairs(makepkg: Path) -> str:
    """Return what makes up for a defect of this makepkg, in the language of makepkg.conf.

    Debian 13 ships one that clones no Git source: its option --mirror has a dash too many.
    """
    clones = makepkg.resolve().parent.parent / "share" / "makepkg" / "source" / "git.sh"
    if clones.is_file() and b" ---mirror " in clones.read_bytes():
        return 'git() { command git "${@/#---mirror/--mirror}"; }\n'
    return ""


def _environment(order: BuildOrder, makepkg: str) -> dict[str, str]:
    """Everything a build sees of this process's environment, and that is next to nothing."""
    folder: BuildFolder = order.folder
    path = _STANDARD_PATH
    if (own := str(Path(makepkg).parent)) not in path.split(":"):
        path = f"{own}:{path}"
    environment = {
        "PATH": path,
        "HOME": str(folder.home),
        "TMPDIR": str(folder.temporary),
        "USER": "builder",
        "LOGNAME": "builder",
        "SHELL": "/bin/bash",
        "TERM": "dumb",
        "LC_ALL": child_environment()["LC_ALL"],
        "CARCH": order.arch,
        "BUILDDIR": str(folder.work),
        "PKGDEST": str(folder.output),
        "SRCDEST": str(folder.sources),
        "SRCPKGDEST": str(folder.temporary),
        "LOGDEST": str(folder.temporary),
        "PKGEXT": ".pkg.tar.zst",
    }
    if order.packager:
        environment["PACKAGER"] = order.packager
    return environment | dict(order.environment)


def _follow(
    process: subprocess.Popen[bytes],
    output: Callable[[bytes], None],
    should_stop: Callable[[], Stop | None],
) -> Stop | None:
    """Pass on what the build prints until it has ended; return why it was stopped, if it was."""
    assert process.stdin is not None  # noqa: S101 - both are pipes, for the type checker
    assert process.stdout is not None  # noqa: S101
    stopped: Stop | None = None
    source = process.stdout.fileno()
    last_look: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while last_look is None or time.monotonic() < last_look:
            if selector.select(_ASKED_EVERY):
                data = os.read(source, _READ_SIZE)
                if not data:
                    break
                output(data)
            if last_look is None and process.poll() is not None:
                # Something that got away from the supervisor may have the pipe for ever.
                last_look = time.monotonic() + _DRAINED_WITHIN
            if stopped is None and (stopped := should_stop()) is not None:
                process.stdin.close()  # the supervisor ends the build
    return stopped
