"""A small world outside: an AUR with its metadata, its packages in one mirror, and git URLs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.aur_server import AurServer, aur_server
from tests.support.git import git, make_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FIRST_PUSH = 1_700_000_000


def pkgbuild(name: str, version: str, note: str = "") -> str:
    """Return a PKGBUILD that differs in nothing but its version, unless there is a note."""
    pkgver, _, pkgrel = version.partition("-")
    text, _, more = note.partition("\n")
    noted = f"_note='{text}'\n{more}\n" if note else ""
    return f"pkgname={name}\npkgver={pkgver}\npkgrel={pkgrel}\narch=(any)\n{noted}"


def srcinfo_of(name: str, version: str, source: str = "") -> str:
    """Return the `.SRCINFO` of that package, with a source if there is to be one."""
    pkgver, _, pkgrel = version.partition("-")
    line = f"\tsource = {source}\n" if source else ""
    return (
        f"pkgbase = {name}\n\tpkgver = {pkgver}\n\tpkgrel = {pkgrel}\n\tarch = any\n{line}\n"
        f"pkgname = {name}\n"
    )


def files_of(name: str, version: str, note: str = "", source: str = "") -> dict[str, str]:
    """Return the files of a package."""
    return {
        "PKGBUILD": pkgbuild(name, version, note),
        ".SRCINFO": srcinfo_of(name, version, source),
    }


@dataclass
class Upstream:
    """Everything that packages come from. `mirror` has a branch for each AUR package.

    The clock of pushes is `now`, in Unix seconds. `sources` are those of packages of the AUR.
    """

    folder: Path
    aur: AurServer
    now: int = FIRST_PUSH
    pushed: dict[str, int] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def mirror(self) -> Path:
        return self.folder / "mirror.git"

    @property
    def settings(self) -> str:
        """Lines for `.ci/config`."""
        return (
            f"CI_AUR_URL={self.aur.url}\nCI_AUR_GIT={self.mirror.as_uri()}#branch={{pkgbase}}\n"
            "CI_HOOK_WITHOUT_SANDBOX=true\n"  # machines differ
        )

    def url_of(self, name: str) -> str:
        """Return the URL of a repository that holds one package."""
        return (self.folder / f"{name}.git").as_uri()

    def push(self, versions: Mapping[str, str], *, note: str = "", mirrored: bool = True) -> None:
        """Let AUR packages have new versions, in the mirror as well unless that lags."""
        self.now += 60
        for name, version in versions.items():
            self.aur.add(name, version, modified=self.now)
        if mirrored:
            self.mirror_push({name: self.files(name, v, note) for name, v in versions.items()})

    def files(self, name: str, version: str, note: str = "") -> dict[str, str]:
        """Return the files of a package of the AUR."""
        return files_of(name, version, note, self.sources.get(name, ""))

    def mirror_push(self, packages: Mapping[str, Mapping[str, str]]) -> None:
        """Set the branches of the mirror to new commits."""
        self.pushed |= dict.fromkeys(packages, self.now)
        self._import(self.mirror, packages)

    def url_push(self, name: str, files: Mapping[str, str]) -> None:
        """Put a commit on the branch `main` of a repository of its own."""
        self.now += 60
        repository = self.folder / f"{name}.git"
        if not repository.exists():
            make_repository(repository, bare=True)
        self._import(repository, {"main": files})

    def _import(self, repository: Path, branches: Mapping[str, Mapping[str, str]]) -> None:
        """Set branches to commits without parents, by one process."""
        commands: list[bytes] = []
        for name, files in branches.items():
            commands.append(b"commit refs/heads/%s\n" % name.encode())
            commands.append(b"committer Somebody <s@example.org> %d +0000\n" % self.now)
            commands.append(b"data 1\nx\n")
            for path, text in files.items():
                data = text.encode()
                commands.append(b"M 100644 inline %s\n" % path.encode())
                commands.append(b"data %d\n%s\n" % (len(data), data))
        stream = b"".join((*commands, b"done\n"))
        git(repository, "fast-import", "--quiet", "--force", "--done", stdin=stream)

    def mirror_remove(self, name: str) -> None:
        """Let the mirror forget a package."""
        git(self.mirror, "update-ref", "-d", f"refs/heads/{name}")


@contextmanager
def upstream(folder: Path) -> Iterator[Upstream]:
    """Provide a world without packages."""
    folder.mkdir()
    make_repository(folder / "mirror.git", bare=True)
    with aur_server() as aur:
        yield Upstream(folder, aur)
