"""makepkg's own answer, for what cannot be told without running the PKGBUILD.

It runs where it sees nothing but the system's programs and a copy of the package's folder, without
network, processes of others, or anything of the user's.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 120
_MOST_OUTPUT = 4 * 1024 * 1024
_LARGEST_FILE = 64 * 1024 * 1024
_ROOM = 256 * 1024 * 1024
_APART = ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
# makepkg refuses to be root.
_USER = ("--uid", "1000", "--gid", "1000")
_LINKED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_SETTINGS = (
    *("/etc/makepkg.conf", "/etc/makepkg.conf.d", "/etc/alternatives", "/etc/ld.so.cache"),
    "/etc/ld.so.conf.d",
)
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/build/home",
    "LC_ALL": "C.UTF-8",
    # What the machine's makepkg.conf says of folders is not to be had there.
    **dict.fromkeys(("PKGDEST", "SRCDEST", "SRCPKGDEST", "LOGDEST", "BUILDDIR"), "/build"),
}
_SCRIPT = """\
set -o pipefail
ulimit -v 2000000
mkdir -p /build/home /build/of && cp -R --no-preserve=ownership /given "/build/of/$1" || exit
cd "/build/of/$1" || exit
chmod -R u+rwX .
makepkg --printsrcinfo --nosign 2>/build/errors </dev/null | head -c "$2"
status=$?
tail -c 2000 /build/errors >&2
exit "$status"
"""


class SandboxError(CaurError):
    """makepkg cannot be run apart from the rest on this machine."""


def printed_srcinfo(folder: Path) -> bytes:
    """Return what `makepkg --printsrcinfo` says of a package's folder, which stays as it is.

    Raises SandboxError where it cannot be run safely, ProcessError where makepkg refuses.
    """
    program = _bubblewrap()
    command = [
        *_sandbox(program, folder),
        *("bash", "-c", _SCRIPT, "bash", folder.resolve().name, str(_MOST_OUTPUT + 1)),
    ]
    try:
        done = run(
            command,
            timeout=_SECONDS,
            with_children=True,
            largest_file=_LARGEST_FILE,
            allowed=range(256),
        )
    except ProcessError as error:
        raise ProcessError(f"{folder.name}: makepkg: {error.message}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise ProcessError(
            f"{folder.name}: makepkg refuses the PKGBUILD: {said or 'it says nothing'}",
            hint=f"Try `makepkg --printsrcinfo` in {folder.name}.",
        )
    if len(done.stdout) > _MOST_OUTPUT:
        raise ProcessError(f"{folder.name}: makepkg printed more than {_MOST_OUTPUT:,} bytes")
    return done.stdout


def _bubblewrap() -> str:
    if shutil.which("makepkg") is None:
        raise SandboxError(
            "what this PKGBUILD says cannot be told without makepkg, which is not installed",
            hint="Install pacman's makepkg (Debian: makepkg), or write what is not clear plainly.",
        )
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(
            "makepkg is run in a sandbox only, and bubblewrap is not installed",
            hint="Install bubblewrap.",
        )
    trial = run([*_sandbox(program, Path("/usr/share")), "true"], allowed=range(256))
    if trial.returncode:
        said = trial.stderr.decode(errors="replace").strip()
        raise SandboxError(
            f"makepkg is run in a sandbox only, and bubblewrap does not work here: {said}",
            hint="Allow user namespaces (sysctl kernel.unprivileged_userns_clone, or the "
            "container's --security-opt), or run this where they are.",
        )
    return program


def _sandbox(program: str, folder: Path) -> Iterator[str]:
    yield from (program, *_APART, *_USER, "--clearenv")
    for name, value in _ENVIRONMENT.items():
        yield from ("--setenv", name, value)
    yield from ("--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev")
    for name in _LINKED:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)
    for name in _SETTINGS:
        yield from ("--ro-bind-try", name, name)
    for name in ("/tmp", "/build"):  # noqa: S108 - within the sandbox
        yield from ("--size", str(_ROOM), "--tmpfs", name)
    yield from ("--ro-bind", str(folder.resolve()), "/given", "--chdir", "/build", "--")
