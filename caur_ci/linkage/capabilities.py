"""Which paths of packages offer a capability, and which need one."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARY, LIBRARY_32 = "lib", "lib32"
# The folders that the loader searches without being told to, and which libraries are there.
_STANDARD = {
    b"usr/lib/": LIBRARY,
    b"usr/lib64/": LIBRARY,
    b"lib/": LIBRARY,
    b"lib64/": LIBRARY,
    b"usr/lib32/": LIBRARY_32,
    b"lib32/": LIBRARY_32,
}
# A package that ships one of these makes the loader search other folders of its own.
_LOADER_CONFIGURATION = re.compile(rb"^etc/ld\.so\.conf\.d/[^\n/]+\.conf$", re.MULTILINE)
_SUFFIX = b".so"
# What is a capability to us: it stands in commit messages, where other words could be commands.
_CAPABILITY = re.compile(r"[a-z0-9]{1,16}:[A-Za-z0-9@._+~=,-]{1,255}")
# Files by which an interpreter of one version is known, each with a part that it always has.
_LANDMARKS = {
    "python": (b"/os.py", re.compile(rb"^usr/lib/python(3\.\d+)/os\.py$", re.MULTILINE)),
    "perl": (
        b"/Config.pm",
        re.compile(rb"^usr/lib/perl5/(\d+\.\d+)/core_perl/Config\.pm$", re.MULTILINE),
    ),
    "ruby": (
        b"/English.rb",
        re.compile(rb"^usr/lib/ruby/(\d+\.\d+\.\d+)/English\.rb$", re.MULTILINE),
    ),
    "lua": (
        b"/liblua",
        re.compile(rb"^usr/lib/liblua(?:\.so\.|-?)(\d\.\d)(?:\.so)?$", re.MULTILINE),
    ),
    "ghc": (
        b"/settings",
        re.compile(rb"^usr/lib/ghc-(\d+(?:\.\d+)+)/(?:lib/)?settings$", re.MULTILINE),
    ),
}
# Folders of versions of interpreters, in which others put what is of use for these only.
_FOLDERS = {
    "python": re.compile(r"usr/lib/python(3\.\d+)/."),
    "perl": re.compile(r"usr/lib/perl5/(\d+\.\d+)/(?:vendor|site)_perl/."),
    "ruby": re.compile(r"usr/lib/ruby/(?:gems|vendor_ruby|site_ruby)/(\d+\.\d+\.\d+)/."),
    "lua": re.compile(r"usr/(?:lib|share)/lua/(\d\.\d)/."),
    "ghc": re.compile(r"usr/lib/ghc-(\d+(?:\.\d+)+)/."),
}
# Interpreters whose packages alone tell the version, and how many of its parts matter.
BY_PACKAGE = {"ocaml": 3, "nodejs": 1}
_NODE = re.compile(r"nodejs(?:-lts-[a-z]+)?")


class Found(IntEnum):
    """How well a capability is offered: a better one is larger."""

    NOWHERE = 0
    ELSEWHERE = 1  # in a folder that only those look into that know it
    USUAL = 2  # where everybody looks


def is_capability(text: str) -> bool:
    """Tell whether `text` is written like a capability, with nothing in it that is none."""
    return _CAPABILITY.fullmatch(text) is not None


def library(soname: str, bits: int, arch: str) -> str:
    """Return the capability that is a library for programs of so many bits."""
    return f"{LIBRARY_32 if bits == 32 and arch == 'x86_64' else LIBRARY}:{soname}"


def offered_by(lines: bytes) -> Iterator[tuple[str, Found]]:
    """Yield what a package offers whose paths are `lines`, one in each."""
    rest = Found.USUAL if _LOADER_CONFIGURATION.search(lines) else Found.ELSEWHERE
    for folder, name in _libraries(lines):
        kind = _STANDARD.get(folder)
        if kind is not None:
            yield f"{kind}:{name}", Found.USUAL
        else:
            # Nobody can tell by the folder for how many bits it is.
            yield f"{LIBRARY}:{name}", rest
            yield f"{LIBRARY_32}:{name}", rest
    for interpreter, (part, landmark) in _LANDMARKS.items():
        for match in landmark.finditer(lines) if part in lines else ():
            yield f"{interpreter}:{match[1].decode()}", Found.USUAL


def _libraries(lines: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield folder and name of each library, by its suffix: there are millions of lines."""
    place = lines.find(_SUFFIX)
    while place >= 0:
        end = lines.find(b"\n", place)
        end = len(lines) if end < 0 else end
        rest = lines[place + len(_SUFFIX) : end]
        start = lines.rfind(b"\n", 0, place) + 1
        slash = lines.rfind(b"/", start, place) + 1 or start
        if (not rest or rest.startswith(b".")) and b"/" not in rest and slash < place:
            yield lines[start:slash], lines[slash:end].decode(errors="backslashreplace")
            place = end
        place = lines.find(_SUFFIX, place + 1)


def offered_as_package(name: str, version: str) -> str | None:
    """Return the capability that a package is by its name and version alone."""
    kind = "nodejs" if _NODE.fullmatch(name) else name
    parts = BY_PACKAGE.get(kind)
    if parts is None:
        return None
    pkgver = version.rpartition("-")[0].rpartition(":")[2] or version
    return f"{kind}:{'.'.join(pkgver.split('.')[:parts])}"


def capability_of_folder(path: str) -> str | None:
    """Return the interpreter that a file at `path` is for, if it is for one version only."""
    if not path.startswith("usr/"):
        return None
    for interpreter, folder in _FOLDERS.items():
        match = folder.match(path)
        if match:
            return f"{interpreter}:{match[1]}"
    return None
