"""The few fields of a `.SRCINFO` that are needed of thousands of packages, read fast.

Where a single package is read in full, the srcinfo package serves better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern

from caur_ci.architectures import DEFAULT_ARCHITECTURE, base_of
from caur_ci.errors import InputError
from caur_ci.names import check_package_name

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# makepkg knows these of the base only. Some old files have them in a package's section.
_BUILD_LISTS = ("makedepends", "checkdepends")
_PACKAGE_LISTS = ("depends", "provides")
_HEAD = frozenset({"pkgbase", "epoch", "pkgver", "pkgrel", "arch"})
SRCINFO = ".SRCINFO"
_HINT = "Write it anew with `makepkg --printsrcinfo > .SRCINFO`."

_Section = dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFields:
    """One package of a pkgbase, for one architecture, with what it takes over from the base."""

    pkgname: str
    depends: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SrcinfoFields:
    """What a `.SRCINFO` says for one architecture.

    Versions and dependencies are kept as they are written: whether they can be compared matters
    only where they are.
    """

    pkgbase: str
    epoch: str = ""
    pkgver: str
    pkgrel: str
    arch: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    makedepends: tuple[str, ...] = ()
    checkdepends: tuple[str, ...] = ()
    packages: tuple[PackageFields, ...]

    @property
    def version(self) -> str:
        """The full version: `[epoch:]pkgver-pkgrel`."""
        epoch = f"{self.epoch}:" if self.epoch else ""
        return f"{epoch}{self.pkgver}-{self.pkgrel}"

    @property
    def pkgnames(self) -> tuple[str, ...]:
        """The packages that a build produces."""
        return tuple(package.pkgname for package in self.packages)

    @property
    def run_depends(self) -> tuple[str, ...]:
        """The `depends` of the base and of every package.

        The base's belong to it even where every package replaces them: makepkg installs them
        before it builds.
        """
        every = [text for package in self.packages for text in package.depends]
        return tuple(dict.fromkeys((*self.depends, *every)))


def parse_fields(
    data: bytes, *, origin: str = ".SRCINFO", arch: str = DEFAULT_ARCHITECTURE
) -> SrcinfoFields:
    """Read a `.SRCINFO`; `origin` names it in messages.

    A field with an architecture suffix counts when it is that of `arch`, or of what that is a
    flavour of. A field in a package's section replaces the base's, also when it is empty.

    Raises InputError where it cannot be used.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{origin} is not UTF-8: {error.reason}", hint=_HINT) from error
    try:
        arch = base_of(arch)
        return _fields(_Reader(origin, arch).read(text), arch)
    except InputError:
        raise
    except Exception as error:  # whatever a stranger's file does, it is that package's
        raise InputError(f"{origin} cannot be read: {error!r}", hint=_HINT) from error


@dataclass(slots=True)
class _Reader:
    """Sorts the lines of one file into the sections that they belong to."""

    origin: str
    arch: str
    head: dict[str, str] = field(default_factory=dict)
    architectures: list[str] = field(default_factory=list)
    base: _Section = field(default_factory=dict)
    packages: dict[str, _Section] = field(default_factory=dict)

    def read(self, text: str) -> _Reader:
        build_lists = _with_suffix(_BUILD_LISTS, self.arch)
        package_lists = _with_suffix(_PACKAGE_LISTS, self.arch)
        section = self.base
        for number, line in enumerate(text.split("\n"), start=1):
            key, equals, value = line.partition("=")
            key = key.strip()
            if key in package_lists:
                # An empty value makes the section have the field all the same.
                values = section.setdefault(key, [])
                if value := value.strip():
                    values.append(value)
            elif key in build_lists:
                self.base.setdefault(key, []).append(value.strip())
            elif key == "pkgname":
                section = self._new_package(value.strip(), number)
            elif key in _HEAD:
                late = section is not self.base
                self._take_head(key, value.strip(), number, late=late)
            elif not (_is_key(key) if equals else _is_blank_or_comment(key)):
                raise self._error(f"cannot be read: {line.strip()[:80]!r}", number)
        return self

    def _take_head(self, key: str, value: str, number: int, *, late: bool) -> None:
        """Take a field of the base.

        `late`: in a package's section. makepkg writes none there but what packages override; the
        AUR takes the base's fields from there as well, where the base itself does not have them.
        """
        if late and (self.architectures if key == "arch" else key in self.head):
            return
        if key == "arch":
            self.architectures.append(value)
        elif key == "pkgbase" and "pkgbase" in self.head:
            raise self._error("names the pkgbase a second time", number)
        elif key == "pkgbase":
            self.head[key] = self._checked(value, number)
        else:
            self.head[key] = value

    def _new_package(self, name: str, number: int) -> _Section:
        if name in self.packages:
            raise self._error(f"names the package {name} a second time", number)
        section: _Section = {}
        self.packages[self._checked(name, number)] = section
        return section

    def _checked(self, name: str, number: int) -> str:
        try:
            return check_package_name(name)
        except InputError as error:
            raise InputError(
                f"{self.origin}, line {number}: {error.message}", hint=error.hint
            ) from error

    def _error(self, problem: str, number: int) -> InputError:
        return InputError(f"{self.origin}, line {number}: {problem}", hint=_HINT)

    def check_complete(self) -> None:
        """Raise InputError where something is missing that every `.SRCINFO` has."""
        absent = [key for key in ("pkgbase", "pkgver", "pkgrel") if not self.head.get(key)]
        if not self.packages:
            absent.append("pkgname")
        if len(absent) == 4:
            raise InputError(f"{self.origin} is empty", hint=_HINT)
        if absent:
            raise InputError(f"{self.origin} has no {' and no '.join(absent)}", hint=_HINT)


@lru_cache(maxsize=16)
def _with_suffix(names: tuple[str, ...], arch: str) -> frozenset[str]:
    return frozenset({*names, *(f"{name}_{arch}" for name in names)})


@lru_cache(maxsize=512)
def _is_key(text: str) -> bool:
    # A comment may hold an equals sign.
    return _KEY.fullmatch(text) is not None or text.startswith("#")


def _is_blank_or_comment(text: str) -> bool:
    return not text or text.startswith("#")


def _fields(read: _Reader, arch: str) -> SrcinfoFields:
    read.check_complete()

    def values(key: str, *sections: _Section) -> tuple[str, ...]:
        """Return a field with its part for the architecture, each from the last that has it."""
        found: list[str] = []
        for name in (key, f"{key}_{arch}"):
            for section in sections:
                if name in section:
                    found += section[name]
                    break
        # The same few names stand in thousands of files: once in memory is enough.
        return tuple(map(intern, dict.fromkeys(filter(None, found))))

    return SrcinfoFields(
        pkgbase=intern(read.head["pkgbase"]),
        epoch=read.head.get("epoch", ""),
        pkgver=read.head["pkgver"],
        pkgrel=read.head["pkgrel"],
        arch=tuple(map(intern, read.architectures)),
        depends=values("depends", read.base),
        makedepends=values("makedepends", read.base),
        checkdepends=values("checkdepends", read.base),
        packages=tuple(
            PackageFields(
                pkgname=intern(pkgname),
                depends=values("depends", section, read.base),
                provides=values("provides", section, read.base),
            )
            for pkgname, section in read.packages.items()
        ),
    )
