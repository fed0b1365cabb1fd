"""What a build of a package may be called, told from its files without running them.

This is what a package is held to before it is published: by the files at the commit, not by what
the worker says.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, load_package_config
from caur_ci.errors import InputError
from caur_ci.interfere import Interfere, bumped_pkgrel
from caur_ci.interfere.bump import configured_bump
from caur_ci.interfere.files import PATHS
from caur_ci.names import is_package_name
from caur_ci.srcinfo import SRCINFO, parse_fields
from caur_ci.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.srcinfo import SrcinfoFields

# The files of a package's folder that the answer depends on.
FILES = (SRCINFO, "PKGBUILD", PackageConfig.FILE, *PATHS)

_PKGVER_FUNCTION = re.compile(
    rb"^[ \t+]*(?:pkgver[ \t]*\([ \t]*\)|function[ \t]+pkgver\b)", re.MULTILINE
)
_NAMES = re.compile(r"^[ \t+]*pkgname\+?=(?:\(([^)]*)\)|(\S+))", re.MULTILINE)
# makepkg starts here again when it finds another pkgver.
_FIRST_PKGREL = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the packages of a pkgbase may be.

    `pkgrels` are for the pkgver of the `.SRCINFO`, `other_pkgrels` for any other one where that
    may be. None stands for anything. `allowed_names` are for this package although somebody else
    has them, and with `allow_prohibited` its packages may replace others and be in groups. They may
    ship files of the packages `allowed_conflicts`.
    """

    pkgbase: str
    pkgnames: frozenset[str]
    epoch: int | None
    pkgver: str
    pkgrels: frozenset[str] | None
    other_pkgrels: frozenset[str] | None
    pkgver_is_free: bool
    allowed_names: frozenset[str] = frozenset()
    allow_prohibited: bool = False
    allowed_conflicts: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The names that its packages may have, with that of its debug symbols."""
        return self.pkgnames | {f"{self.pkgbase}-debug"}

    def problem_with(
        self, *, pkgbase: str, pkgname: str, version: str, arch: str, job_arch: str
    ) -> str:
        """Return why a package must not be published as a part of this one, "" if it may be."""
        if pkgbase != self.pkgbase:
            return f"belongs to pkgbase {pkgbase}, not to {self.pkgbase}"
        if pkgname not in self.names:
            names = ", ".join(sorted(self.names))
            return f"{pkgname} is none of the packages of {self.pkgbase} ({names})"
        if arch not in {"any", job_arch}:
            return f"is for {arch}, the job is for {job_arch}"
        return self._problem_with_version(version)

    def _problem_with_version(self, text: str) -> str:
        try:
            version = Version.parse(text)
        except InputError as error:
            return error.message
        if self.epoch is not None and version.epoch != self.epoch:
            return f"has version {text}, the .SRCINFO has epoch {self.epoch}"
        if version.pkgver == self.pkgver:
            pkgrels = self.pkgrels
        elif self.pkgver_is_free:
            pkgrels = self.other_pkgrels
        else:
            return f"has version {text}, the .SRCINFO has pkgver {self.pkgver}"
        if pkgrels is not None and version.pkgrel not in pkgrels:
            return f"has version {text}, its pkgrel has to be {' or '.join(sorted(pkgrels))}"
        return ""


def expected_packages(files: Mapping[str, bytes], *, folder: str) -> Expectation:
    """Return what a build of the package in `folder` may come to.

    `files` holds those of `FILES` that exist, by their paths. Raises InputError where they cannot
    be used.
    """
    config = _config(files, folder)
    interfere = Interfere.of_files(files, origin=folder)
    if SRCINFO not in files:
        raise InputError(
            f"{folder} has no .SRCINFO", hint=f"`caur-ci srcinfo --write {folder}` makes it."
        )
    fields = parse_fields(files[SRCINFO], origin=f"{folder}/.SRCINFO")
    changed = _changed_variables(interfere)
    finds_pkgver = any(
        map(_PKGVER_FUNCTION.search, (files.get("PKGBUILD", b""), *interfere.changes_pkgbuild))
    )
    version = Version.parse(fields.version)
    pkgrels, others = _pkgrels(config, fields)
    return Expectation(
        pkgbase=fields.pkgbase,
        pkgnames=frozenset(fields.pkgnames) | _added_names(interfere),
        epoch=None if "epoch" in changed else version.epoch,
        pkgver=version.pkgver,
        pkgrels=None if "pkgrel" in changed else pkgrels,
        other_pkgrels=None if "pkgrel" in changed else others,
        pkgver_is_free=finds_pkgver or "pkgver" in changed,
        allowed_names=frozenset(config.allow_names),
        allow_prohibited=config.allow_prohibited,
        allowed_conflicts=frozenset(config.allow_file_conflicts),
    )


def usable_expectations(folders: Mapping[str, Mapping[str, bytes]]) -> dict[str, Expectation]:
    """Return what `expected_packages` says of each folder, without those that cannot be used."""
    found = {}
    for folder, files in folders.items():
        with suppress(Exception):  # whatever is in one, it is that package's
            found[folder] = expected_packages(files, folder=folder)
    return found


def _config(files: Mapping[str, bytes], folder: str) -> PackageConfig:
    data = files.get(PackageConfig.FILE, b"")
    return load_package_config(data, origin=f"{folder}/{PackageConfig.FILE}").config


def _pkgrels(config: PackageConfig, fields: SrcinfoFields) -> tuple[frozenset[str], frozenset[str]]:
    """Return the pkgrels for the pkgver of the `.SRCINFO`, and for another one."""
    expected = frozenset({bumped_pkgrel(config, fields.version)})
    bump = configured_bump(config)
    bumped = {f"{fields.pkgrel}.{bump.count}"} if bump else set()
    return expected, expected | {fields.pkgrel, _FIRST_PKGREL} | bumped


def _changed_variables(interfere: Interfere) -> frozenset[str]:
    """Return which parts of the version the interfere files may give another value."""
    found = set()
    for name in ("epoch", "pkgver", "pkgrel"):
        assigned = re.compile(rb"^[ \t+]*%s=" % name.encode(), re.MULTILINE)
        if any(assigned.search(text) for text in _added_lines(interfere)):
            found.add(name)
        # A script changes the PKGBUILD in ways of its own, with sed for instance.
        if re.search(rb"\b%s\b" % name.encode(), interfere.prepare or b""):
            found.add(name)
    return frozenset(found)


def _added_names(interfere: Interfere) -> frozenset[str]:
    """Return the packages that interfere files add to those of the `.SRCINFO`, by plain names."""
    names: set[str] = set()
    for text in _added_lines(interfere):
        for match in _NAMES.finditer(text.decode(errors="replace")):
            words = (match[1] or match[2] or "").translate({ord(quote): " " for quote in "'\"+"})
            names.update(filter(is_package_name, words.split()))
    return frozenset(names)


def _added_lines(interfere: Interfere) -> Iterable[bytes]:
    patched = (interfere.patch or b"").split(b"\n")
    added = b"\n".join(line[1:] for line in patched if line.startswith(b"+"))
    return (added, interfere.prepend or b"", interfere.append or b"")
