"""Builds in any executor, for tests: what they print, and where they leave it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.settings import TargetRepository
from scheduler.worker.executors.protocol import BuildFolder, BuildSpec, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scheduler.job import Usage
    from scheduler.worker.executors.protocol import Guest, StepResult, Stop
    from scheduler.worker.users import BuildUser

# A process that wants to stay: a session of its own, deaf to every polite signal.
STAYS = "(trap '' TERM HUP INT; while :; do sleep 0.1; done)"


class Recorder:
    """A watch that keeps what is printed, and stops when it is told to."""

    def __init__(self, stop: Callable[[Recorder], Stop | None] = lambda _: None) -> None:
        self.data = b""
        self.usages: list[Usage] = []
        self._stop = stop

    def output(self, data: bytes) -> None:
        self.data += data

    def why_stop(self, usage: Usage) -> Stop | None:
        self.usages.append(usage)
        return self._stop(self)

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")

    def lines(self) -> list[str]:
        return self.text.splitlines()


def make_order(
    root: Path,
    user: BuildUser,
    files: Mapping[str, str] | None = None,
    *,
    target: TargetRepository | None = None,
    makeflags: str = "",
    packager: str = "",
    environment: Mapping[str, str] | None = None,
) -> BuildSpec:
    """Return an order in the new folder `root`, with `files` in the package's folder."""
    root.mkdir()
    root.chmod(0o711)
    folder = BuildFolder(root=root)
    folder.source.mkdir()
    for name, text in (files or {}).items():
        path = folder.source / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o666)
    # Only where it is mounted keeps a build from writing to it.
    folder.source.chmod(0o777)
    return BuildSpec(
        folder=folder,
        user=user,
        pkgbase="tool",
        arch="x86_64",
        target=target or TargetRepository(name="repo"),
        makeflags=makeflags,
        packager=packager,
        environment=environment or {},
    )


def bash(
    guest: Guest,
    script: str,
    watch: Recorder | None = None,
    *,
    network: bool = True,
    as_root: bool = False,
    environment: Mapping[str, str] | None = None,
) -> tuple[StepResult, Recorder]:
    """Run a line of shell in `guest`, in its build folder."""
    watch = watch or Recorder()
    step = Step(
        command=["bash", "-c", script],
        directory=guest.paths.build,
        network=network,
        as_root=as_root,
        environment=environment or {},
    )
    return guest.run(step, watch), watch


def makepkg(guest: Guest, *, network: bool = True) -> tuple[StepResult, Recorder]:
    """Copy the package's folder and build it."""
    ending, watch = bash(guest, f"cp -R {guest.paths.source} tool")
    assert ending.code == 0, watch.text
    command = ["makepkg", "--nodeps", "--skippgpcheck", "--noconfirm", "--nocolor"]
    step = Step(command=command, directory=guest.paths.build / "tool", network=network)
    return guest.run(step, watch), watch


def processes_with(mark: str) -> list[int]:
    """Return the processes of this machine that have `mark` in their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in command:  # what has ended has none
                found.append(int(folder.name))
    return found
