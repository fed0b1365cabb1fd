"""Bubblewrap: a view of this machine in which a build finds what it needs and nothing else.

What may be seen is named, all else is not there: neither the home folders nor /run, /srv and
/var, where workers and database runners keep what a build must not get.
"""

from __future__ import annotations

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.process import run
from scheduler.worker.executors.folders import local_servers, scripts_of, temporary_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scheduler.worker.executors.protocol import BuildSpec, GuestPaths, Step
    from scheduler.worker.users import BuildUser

_SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "etc")
# pacman's database, for makepkg's look at dependencies; what the C library counts processors by.
_ALSO_SEEN = ("/var/lib/pacman", "/sys/devices/system/cpu")
_NAMESPACES = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What builds see of this machine.

    Of the system's folders, what is in `hidden` and what not everybody may read in /etc is covered
    up. `readable` are further paths that are seen as they are.
    """

    program: str
    hidden: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()

    def command(
        self, step: Step, build_spec: BuildSpec, paths: GuestPaths, *, makepkg: Path
    ) -> list[str]:
        """Return what runs `step` with the folders of `build_spec` in their places `paths`."""
        seen = [Path("/", name) for name in _SYSTEM]
        # bubblewrap fails for what the user cannot get to, and can do without these.
        wanted = (*self.readable, *local_servers(build_spec))
        readable = [
            path for path in wanted if path.exists() and build_spec.user.can_reach(path.parent)
        ]
        mounts = [
            *_system(seen),
            *_bind("--ro-bind-try", (Path(path) for path in _ALSO_SEEN)),
            *(
                "--proc",
                "/proc",
                "--dev",
                "/dev",
                "--dir",
                "/run",
                "--symlink",
                "../run",
                "/var/run",
            ),
            *_bind("--ro-bind-try", _resolver(seen)),
            *_folders(build_spec, paths),
            # It may be below the folder for temporary files.
            *_bind("--ro-bind", _unseen(makepkg.parent, seen)),
            *_bind("--ro-bind-try", readable),
            *self._covers([*seen, *readable]),
        ]
        return [
            self.program,
            *_NAMESPACES,
            *(() if step.network else ("--unshare-net",)),
            *("--hostname", "builder", "--die-with-parent", "--cap-drop", "ALL"),
            *mounts,
            *("--remount-ro", "/", "--chdir", str(step.directory), "--"),
            *step.command,
        ]

    def _covers(self, seen: Sequence[Path]) -> list[str]:
        options = []
        for path in (*_not_for_everybody(), *self.hidden):
            if any(map(path.is_relative_to, seen)) and path.exists():
                cover = ["--tmpfs"] if path.is_dir() else ["--ro-bind", "/dev/null"]
                options += [*cover, str(path)]
        return options


def find_sandbox(
    user: BuildUser, *, hidden: Iterable[Path] = (), readable: Iterable[Path] = ()
) -> Sandbox | None:
    """Return the sandbox for builds of `user`, None where there is no bubblewrap or it fails."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    trial = [
        program,
        *_NAMESPACES,
        "--unshare-net",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]
    identity = ["--reuid", str(user.uid), "--regid", str(user.gid), "--clear-groups"]
    words = ["setpriv", *identity, "--no-new-privs", "--"] if user.is_other else []
    if run([*words, *trial], cwd=Path("/"), allowed=range(256)).returncode != 0:
        return None
    return Sandbox(program=program, hidden=tuple(hidden), readable=tuple(readable))


def _folders(build_spec: BuildSpec, paths: GuestPaths) -> list[str]:
    """Return the folders of a build as they are mounted, outer ones before what is in them."""
    folder = build_spec.folder
    temporary = temporary_of(folder)
    options = (
        ("--bind", temporary, "/tmp"),  # noqa: S108 - of the sandbox
        ("--bind", temporary, "/var/tmp"),  # noqa: S108 - of the sandbox
        ("--bind", folder.home, paths.home),
        ("--bind", folder.build, paths.build),
        ("--bind", folder.output, paths.output),
        ("--bind", folder.downloads, paths.downloads),
        ("--bind", folder.reports, paths.reports),
        ("--ro-bind", folder.source, paths.source),
        ("--ro-bind", scripts_of(folder), paths.scripts),
    )
    return [str(word) for option in options for word in option]


def _system(folders: Iterable[Path]) -> list[str]:
    options: list[str] = []
    for path in folders:
        if path.is_symlink():  # /bin and its like, as a rule
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    return options


def _bind(option: str, paths: Iterable[Path]) -> list[str]:
    return [word for path in paths for word in (option, str(path), str(path))]


def _unseen(folder: Path, seen: Sequence[Path]) -> list[Path]:
    return [] if any(map(folder.is_relative_to, seen)) else [folder]


def _resolver(seen: Sequence[Path]) -> list[Path]:
    """Return the file with the name servers, where /etc/resolv.conf is a link to elsewhere."""
    return _unseen(Path("/etc/resolv.conf").resolve(), seen)


def _not_for_everybody() -> list[Path]:
    # A worker's own settings may be there, and builds may run as the worker's own user.
    found = []
    for path in Path("/etc").iterdir():
        mode = path.lstat().st_mode
        needed = stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
        if not (stat.S_ISLNK(mode) or mode & needed):
            found.append(path)
    return found
