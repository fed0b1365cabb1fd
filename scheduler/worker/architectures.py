"""Which architectures a worker builds, and how makepkg is told of them."""

from __future__ import annotations

import platform
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.architectures import base_of, is_flavour
from caur_ci.errors import ConfigError
from scheduler.settings import BUILT_IN_FLAVOURS, ExecutorKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.settings import Flavour, WorkerSettings

# What the kernel calls them, and pacman.
_MACHINES = {"armv7l": "armv7h", "armv6l": "armv6h"}
# What a processor needs of each level beside what the one before needs, in the kernel's words.
_LEVELS = {
    "x86_64_v2": "cx16 lahf_lm pni popcnt sse4_1 sse4_2 ssse3",
    "x86_64_v3": "abm avx avx2 bmi1 bmi2 f16c fma movbe xsave",
    "x86_64_v4": "avx512bw avx512cd avx512dq avx512f avx512vl",
}
_CPUINFO = Path("/proc/cpuinfo")
_EMULATORS = Path("/proc/sys/fs/binfmt_misc")


def machine_architecture() -> str:
    """Return what pacman calls the architecture of this machine."""
    return _MACHINES.get(platform.machine(), platform.machine())


def buildable(
    settings: WorkerSettings, *, cpuinfo: Path = _CPUINFO, emulators: Path = _EMULATORS
) -> tuple[str, ...]:
    """Return the architectures that a worker builds, the first that of its machine by default.

    Those of BUILDER_ARCHITECTURES, where it is set: another machine's are emulated then. Otherwise
    that of the machine, the levels of it that the processor has, and its flavours in
    BUILDER_FLAVOURS. Raises ConfigError for what cannot be built here.
    """
    own = machine_architecture()
    if not settings.architectures:
        levels = tuple(_supported_levels(cpuinfo)) if own == "x86_64" else ()
        told = (
            name
            for name in settings.flavours
            if name not in BUILT_IN_FLAVOURS and is_flavour(name) and base_of(name) == own
        )
        return (own, *levels, *told)
    for arch in settings.architectures:
        if is_flavour(arch) and arch not in settings.flavours:
            raise ConfigError(
                f"BUILDER_ARCHITECTURES names {arch}, and nothing says how that is built",
                hint="Describe it in BUILDER_FLAVOURS, or in the file of settings as "
                f"[flavours.{arch}].",
            )
        if base_of(arch) != own:
            _check_emulated(arch, settings, emulators)
    return settings.architectures


def makepkg_settings(arch: str, flavour: Flavour) -> str:
    """Return what makepkg.conf says for an architecture, after what that of the system says.

    A flavour's packages carry its name, and are what their PKGBUILD has for the base: CARCH and
    what goes by it, such as `source_x86_64`, stays that of the base.
    """
    return "".join(f"{line}\n" for line in _lines(arch, flavour))


def _lines(arch: str, flavour: Flavour) -> Iterator[str]:
    flags = {
        "CFLAGS": flavour.cflags,
        "CXXFLAGS": flavour.cxxflags or flavour.cflags,
        "LDFLAGS": flavour.ldflags,
        "RUSTFLAGS": flavour.rustflags,
        "GOFLAGS": flavour.goflags,
    }
    for name, added in flags.items():
        if added:
            yield f"export {name}+={shlex.quote(f' {added}')}"
    for name, value in flavour.environment.items():
        yield f"export {name}={shlex.quote(value)}"
    if flavour.options:
        yield f"OPTIONS+=({' '.join(map(shlex.quote, flavour.options))})"
    if is_flavour(arch):
        # The function with which makepkg finds out what to call a package.
        yield 'eval "of_base_$(declare -f get_pkg_arch)"'
        yield f'get_pkg_arch() {{ local CARCH={arch}; of_base_get_pkg_arch "$@"; }}'


def _supported_levels(cpuinfo: Path) -> Iterator[str]:
    match = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
    has = set(match[1].split()) if match else set()
    for level, needs in _LEVELS.items():
        if not has.issuperset(needs.split()):
            return
        yield level


def _check_emulated(arch: str, settings: WorkerSettings, emulators: Path) -> None:
    base = base_of(arch)
    other = f"BUILDER_ARCHITECTURES names {arch}, and this machine is {machine_architecture()}"
    if settings.executor is not ExecutorKind.CONTAINER:
        raise ConfigError(
            f"{other}: makepkg on the machine itself cannot build for it",
            hint="Build it on such a machine, or in containers with an emulator.",
        )
    handler = emulators / f"qemu-{base}"
    text = handler.read_text(encoding="utf-8") if handler.is_file() else ""
    # With F the kernel has the emulator open: containers have no such file.
    if "enabled" not in text.split() or not re.search(r"^flags:.*F", text, re.MULTILINE):
        raise ConfigError(
            f"{other}: there is no emulator of {base} for containers",
            hint="Install qemu-user-static with its binfmt_misc entries (flag F), or build it on "
            "such a machine.",
        )
    if not image_of(arch, settings):
        raise ConfigError(
            f"{other}: no image of {base} is named",
            hint=f'Name one as "image" of {arch} or {base} in BUILDER_FLAVOURS.',
        )


def image_of(arch: str, settings: WorkerSettings) -> str:
    """Return the image that is named for an architecture or its base, "" for that of the worker."""
    found = (settings.flavours.get(name) for name in (arch, base_of(arch)))
    return next((flavour.image for flavour in found if flavour and flavour.image), "")
