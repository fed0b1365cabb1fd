"""What is the same for every way of building: the folders, the scripts, the environment."""

from __future__ import annotations

import shlex
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from caur_ci.architectures import base_of
from scheduler.worker.executors.protocol import GuestPaths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.worker.executors.protocol import BuildFolder, BuildSpec, Step

# The places that the existing system has, where a guest has a file system of its own.
_HOME = PurePosixPath("/home/builder")
_READABLE = 0o755
_USER_NAME = "builder"
# Sources that lie on this machine belong to somebody else, which git minds by default.
_GIT_CONFIG = "[safe]\n\tdirectory = *\n"
# What a build's makepkg.conf says whatever that of the system says: it is not for the machine to
# decide whether packages are signed, where they go, or who helps with building them.
_MAKEPKG_CONF = """\
BUILDENV=(!distcc color !ccache check !sign)
unset GPGKEY DISTCC_HOSTS
SRCEXT=.src.tar.gz
"""


def inner_paths(pkgbase: str) -> GuestPaths:
    """Return where guests with a file system of their own have the folders of a build."""
    return GuestPaths(
        source=PurePosixPath("/pkgbuilds", pkgbase),
        build=_HOME / "build",
        output=_HOME / "pkgout",
        downloads=_HOME / "srcdest_cached",
        reports=_HOME / "tempOut",
        home=_HOME,
        scripts=PurePosixPath("/caur-ci"),
    )


def outer_paths(build_spec: BuildSpec) -> GuestPaths:
    """Return where the folders of a build are on this machine."""
    folder = build_spec.folder
    return GuestPaths(
        source=PurePosixPath(folder.source),
        build=PurePosixPath(folder.build),
        output=PurePosixPath(folder.output),
        downloads=PurePosixPath(folder.downloads),
        reports=PurePosixPath(folder.reports),
        home=PurePosixPath(folder.home),
        scripts=PurePosixPath(scripts_of(folder)),
    )


def scripts_of(folder: BuildFolder) -> Path:
    """Return the folder with the scripts that guests run."""
    return folder.root / "scripts"


def temporary_of(folder: BuildFolder) -> Path:
    """Return the folder that is /tmp for a build, on the disk that is watched."""
    return folder.root / "tmp"


def local_servers(build_spec: BuildSpec) -> list[Path]:
    """Return the folders of this machine that the target's `extra_repos` are served from."""
    found = []
    for extra in build_spec.target.extra_repos:
        for server in extra.servers:
            if server.startswith("file:///"):
                # The whole repository: the folder of an architecture may have links to others.
                path = server.removeprefix("file://").partition("/$arch")[0]
                found.append(Path(unquote(path.replace("$repo", extra.name))))
    return found


def target_servers(build_spec: BuildSpec) -> list[str]:
    """Return where the target repository is, with `$arch` in it; nothing where that is unknown."""
    target = build_spec.target
    own = next((extra for extra in target.extra_repos if extra.name == target.name), None)
    return [server.replace("$repo", target.name) for server in own.servers] if own else []


def target_databases(build_spec: BuildSpec, server: str, architectures: Iterable[str]) -> list[str]:
    """Return the URLs of the target's databases for `architectures` at one of its servers."""
    name = f"{build_spec.target.name}.db"
    return [f"{server.replace('$arch', arch)}/{name}" for arch in architectures]


def make_folders(build_spec: BuildSpec, *, makepkg_conf: str = "") -> None:
    """Make what a build writes to, and give it to the user that builds.

    `makepkg_conf` goes into the file that makepkg reads after that of the system.
    """
    folder = build_spec.folder
    writable = (folder.build, folder.output, folder.downloads, folder.reports, folder.home)
    for path in (*writable, temporary_of(folder)):
        path.mkdir(exist_ok=True)
    settings = f"MAKEFLAGS={shlex.quote(build_spec.makeflags)}\n" if build_spec.makeflags else ""
    own = _MAKEPKG_CONF + settings + makepkg_conf + build_spec.makepkg_conf
    (folder.home / ".makepkg.conf").write_text(own, encoding="utf-8")
    (folder.home / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
    for path in (*writable, temporary_of(folder)):
        build_spec.user.give(path)
    _copy_scripts(scripts_of(folder))


def _copy_scripts(place: Path) -> None:
    # The user that builds may not be able to get to where this package is installed.
    place.mkdir(exist_ok=True)
    for script in resources.files("scheduler.worker").joinpath("guest").iterdir():
        copy = place / script.name
        copy.write_bytes(script.read_bytes())
        copy.chmod(_READABLE)
    # StepCommands of ours have their home there.
    (place / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
    place.chmod(_READABLE)


def environment_of(
    step: Step, build_spec: BuildSpec, paths: GuestPaths, *, path: str, tmp: str
) -> dict[str, str]:
    """Return all that a step sees of the outside, and that is next to nothing."""
    environment = {
        "PATH": path,
        "HOME": str(paths.scripts if step.own else paths.home),
        "TMPDIR": tmp,
        "USER": _USER_NAME,
        "LOGNAME": _USER_NAME,
        "SHELL": "/bin/bash",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "CARCH": base_of(build_spec.arch),
        "BUILDDIR": str(paths.build),
        "PKGDEST": str(paths.output),
        "SRCDEST": str(paths.downloads),
        "SRCPKGDEST": tmp,
        "LOGDEST": tmp,
        "PKGEXT": ".pkg.tar.zst",
    }
    if build_spec.makeflags:
        environment["MAKEFLAGS"] = build_spec.makeflags
    if build_spec.packager:
        environment["PACKAGER"] = build_spec.packager
    return environment | dict(build_spec.environment) | dict(step.environment)
