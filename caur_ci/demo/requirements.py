"""What the demonstration cannot do without."""

from __future__ import annotations

import platform
import shutil

from caur_ci.demo.setup import ARCHITECTURE
from caur_ci.errors import CaurError, ProcessError
from scheduler import embedded
from scheduler.settings import ExecutorKind
from scheduler.worker.architectures import machine_architecture
from scheduler.worker.executors.host.sandbox import find_sandbox
from scheduler.worker.users import build_user

_PROGRAMS = (
    "git",
    "makepkg",
    "pacman",
    "repo-add",
    "vercmp",
    "bsdtar",
    "gpg",
    "fakeroot",
    "ssh-keygen",
    "zstd",
    "curl",
    "file",
    "as",
    "ld",
)
_HINT = (
    "In a checkout, `make demo` installs what is missing. By hand it is, on Debian and Ubuntu: "
    "apt install makepkg pacman-package-manager libarchive-tools gnupg fakeroot openssh-client "
    "zstd curl file binutils; on Arch: pacman -S base-devel openssh."
)


def check_machine(executor: ExecutorKind) -> None:
    """Raise CaurError where the demonstration cannot run, naming all that is missing at once."""
    if machine_architecture() != ARCHITECTURE:
        raise CaurError(
            f"the demonstration builds packages for {ARCHITECTURE}, "
            f"and this machine is {platform.machine()}"
        )
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        raise ProcessError(f"not installed: {', '.join(missing)}", hint=_HINT)
    engines = ("podman", "docker")
    if executor is ExecutorKind.CONTAINER and not any(map(shutil.which, engines)):
        raise ProcessError(
            "neither podman nor docker is installed",
            hint="In a checkout, `make demo EXECUTOR=container` installs what is missing.",
        )
    embedded.find_server()


def builds_without_network(executor: ExecutorKind) -> bool:
    """Tell whether build() can be kept from the network here."""
    if executor is ExecutorKind.CONTAINER:
        return True
    with build_user() as user:
        return find_sandbox(user) is not None
