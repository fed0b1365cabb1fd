"""Runs a program where it sees no processes, and none of the private files, of its user."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caur_ci.git import GitRepository

_NAMESPACES = ("--unshare-user", "--unshare-pid", "--unshare-ipc")
_SYSTEM = ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
# Keys, sockets of agents and container engines, other programs' temporary files.
_COVERED = ("/home", "/root", "/run", "/tmp", "/var/tmp")  # noqa: S108 - covered up
_RESOLVER = Path("/etc/resolv.conf")


def sandboxed(
    command: Sequence[str], *, git: GitRepository, shared: Path, cwd: Path
) -> list[str] | None:
    """Return `command` as it runs in a sandbox; None where bubblewrap does not work.

    It may write below `shared` only, where `cwd` is, and sees neither the checkout nor the home of
    its user.
    """
    program = bubblewrap()
    if not program:
        return None
    covers = [
        word
        for path in dict.fromkeys(_private(git))
        if path.is_dir() and not _holds_the_system(path)
        for word in ("--tmpfs", str(path))
    ]
    resolver = str(_RESOLVER.resolve())
    return [
        *(program, *_NAMESPACES, "--die-with-parent", "--cap-drop", "ALL", *_SYSTEM, *covers),
        *("--ro-bind-try", resolver, resolver),
        *("--bind", str(shared), str(shared), "--chdir", str(cwd)),
        *("--", *command),
    ]


def bubblewrap() -> str:
    """Return the program if it is there and this machine lets it do its work, else nothing."""
    program = shutil.which("bwrap")
    return program if program and _works(program) else ""


@cache
def _works(program: str) -> bool:
    trial = [program, *_NAMESPACES, *_SYSTEM, "--tmpfs", _COVERED[0], "true"]
    return run(trial, allowed=range(256)).returncode == 0


def _private(git: GitRepository) -> Iterator[Path]:
    yield from map(Path, (*_COVERED, tempfile.gettempdir()))
    with suppress(KeyError):
        yield Path(pwd.getpwuid(os.getuid()).pw_dir).resolve()
    yield Path.home().resolve()
    folder = git.folder.resolve()
    yield folder
    # GitLab keeps variables of the type `file` there, keys as a rule.
    yield folder.with_name(f"{folder.name}.tmp")
    place = git.git("rev-parse", "--path-format=absolute", "--git-common-dir").rstrip(b"\n")
    yield Path(os.fsdecode(place)).resolve()


def _holds_the_system(path: Path) -> bool:
    return any(Path(name).is_relative_to(path) for name in ("/usr", "/bin", "/etc", "/nix"))
