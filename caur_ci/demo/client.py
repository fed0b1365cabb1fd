"""The real pacman, with a root, a database and a keyring of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from caur_ci.architectures import accepted_by, is_flavour
from caur_ci.process import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Collection
    from pathlib import Path

_TIMEOUT = 60.0


def repository_section(name: str, folder: Path, *, server: str = "") -> str:
    """Return the lines of pacman.conf that make the repository in `folder` known.

    `server` is where readers find it, where that is not the folder.
    """
    # $repo and $arch stand at the end of the address of any repository of ours. Where pacman
    # accepts several architectures, $arch is the first, and that of a flavour is spelt out.
    address = folder.parent.parent.as_uri()
    arch = folder.name if is_flavour(folder.name) else "$arch"
    server = server or f"{address}/$repo/{arch}"
    return f"[{name}]\nSigLevel = Required\nServer = {server}\n"


class PacmanClient:
    """One installation below `folder`, for one repository, in a folder or at `server`.

    Nothing of the machine's own pacman is read or changed: not its configuration, its databases,
    its keys or its hooks.
    """

    def __init__(self, folder: Path, *, repository: str, published: Path, server: str = "") -> None:
        self.root = folder / "root"
        self._folder = folder
        self._repository = repository
        self._config = folder / "pacman.conf"
        self._keyring = folder / "gnupg"
        self._make(published, server)

    def trust(self, public_key: Path, fingerprint: str) -> None:
        """Let the keyring hold this key, and trust it as an administrator who has signed it."""
        self._gpg("--import", str(public_key))
        self._gpg("--import-ownertrust", stdin=f"{fingerprint}:6:\n".encode())
        self._gpg("--check-trustdb")

    def refresh(self) -> None:
        """Get the repository's database. Raises ProcessError, above all for a bad signature."""
        self._pacman("--sync", "--refresh")

    def install(self, name: str) -> None:
        """Install a package with what it needs. Raises ProcessError."""
        self._pacman("--sync", f"{self._repository}/{name}")

    def download(self, name: str) -> None:
        """Get the file of a package, and nothing else. Raises ProcessError."""
        self._pacman("--sync", "--downloadonly", "--nodeps", f"{self._repository}/{name}")

    def install_file(self, package: Path) -> None:
        """Install a package file. Raises ProcessError."""
        self._pacman("--upgrade", str(package))

    def available(self) -> dict[str, str]:
        """Return the versions of all packages of the repository."""
        lines = self._lines(self._pacman("--sync", "--list", self._repository))
        return {line[1]: line[2] for line in lines}

    def installed(self) -> dict[str, str]:
        """Return the versions of all installed packages."""
        # pacman calls it an error when there are none.
        done = self._pacman("--query", allowed=(0, 1))
        return {line[0]: line[1] for line in self._lines(done)}

    def has_good_signature(self, file: Path) -> bool:
        """Tell whether `file` is signed by a trusted key, in the file beside it."""
        signature = file.with_name(f"{file.name}.sig")
        options = ["--status-fd", "1", "--verify", str(signature), str(file)]
        done = self._gpg(*options, allowed=(0, 1, 2))
        return done.returncode == 0 and b"TRUST_ULTIMATE" in done.stdout

    def _make(self, published: Path, server: str) -> None:
        folders = {
            "RootDir": self.root,
            "DBPath": self._folder / "database",
            "CacheDir": self._folder / "cache",
            "GPGDir": self._keyring,
            "HookDir": self._folder / "hooks",
        }
        for path in folders.values():
            path.mkdir(parents=True)
        self._keyring.chmod(0o700)
        # libalpm looks for a keyring of this name, and gpg uses it where it is there already.
        (self._keyring / "pubring.gpg").touch(mode=0o600)
        lines = [
            "[options]",
            *(f"{option} = {path}/" for option, path in folders.items()),
            f"LogFile = {self._folder / 'pacman.log'}",
            f"Architecture = {' '.join(reversed(accepted_by(published.name)))}",
            "SigLevel = Required",
            "",
            repository_section(self._repository, published, server=server),
        ]
        self._config.write_text("\n".join(lines), encoding="utf-8")

    def _gpg(
        self, *arguments: str, stdin: bytes = b"", allowed: Collection[int] = (0,)
    ) -> subprocess.CompletedProcess[bytes]:
        # Without secret keys nothing needs the agent, which would outlive us.
        options = ["--homedir", str(self._keyring), "--batch", "--quiet", "--no-autostart"]
        return run(["gpg", *options, *arguments], stdin=stdin, allowed=allowed)

    def _pacman(
        self, *arguments: str, allowed: Collection[int] = (0,)
    ) -> subprocess.CompletedProcess[bytes]:
        # pacman asks whether it is root, and gives every file it unpacks to its owner.
        prefix = [] if os.geteuid() == 0 else ["fakeroot", "--"]
        command = ["pacman", "--config", str(self._config), "--noconfirm"]
        return run([*prefix, *command, *arguments], timeout=_TIMEOUT, allowed=allowed)

    @staticmethod
    def _lines(done: subprocess.CompletedProcess[bytes]) -> list[tuple[str, ...]]:
        return [tuple(line.split()) for line in done.stdout.decode().splitlines()]
