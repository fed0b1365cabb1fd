"""Detached GnuPG signatures."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable

_TIMEOUT = 300.0
_AT_ONCE = 4


class SigningError(CaurError):
    """GnuPG did not sign. What was to be signed is not published."""


class Signer:
    """Signs with a key in the GnuPG folder `home`, by default with the only or default one."""

    def __init__(self, home: Path, *, key: str = "", passphrase: str = "") -> None:
        self._home = home
        self._key = key
        self._passphrase = passphrase

    def check(self) -> None:
        """Make a signature of nothing, to learn early whether that works. Raises SigningError."""
        if not self._home.is_dir():
            raise SigningError(
                f"the GnuPG folder {self._home} does not exist",
                hint="Set GPG_PATH to the folder that holds the key for signing packages.",
            )
        with tempfile.TemporaryDirectory(prefix="caur-sign-") as folder:
            probe = Path(folder, "probe")
            probe.touch()
            self.sign(probe)

    def sign(self, path: Path) -> Path:
        """Write the signature of `path` beside it, and return it. Raises SigningError."""
        signature = path.with_name(f"{path.name}.sig")
        options: list[str | Path] = ["--batch", "--no-tty", "--quiet", "--yes", "--no-armor"]
        if self._key:
            options += ["--local-user", self._key]
        # Without a passphrase at hand, the agent may still know one.
        if self._passphrase:
            options += ["--pinentry-mode", "loopback", "--passphrase-fd", "0"]
        options += ["--output", signature, "--detach-sign"]
        try:
            run(
                ["gpg", "--homedir", self._home, *options, "--", path],
                stdin=f"{self._passphrase}\n".encode() if self._passphrase else b"",
                timeout=_TIMEOUT,
            )
        except ProcessError as error:
            raise SigningError(
                f"signing failed: {error.message}",
                hint=f"Is there a secret key in {self._home}, and does GPG_KEY name it? The path "
                "of that folder must be short (less than about 90 characters) for its agent.",
            ) from error
        return signature

    def sign_all(self, paths: Iterable[Path]) -> None:
        """Sign several files. Raises SigningError."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self.sign, paths))


class Keyring:
    """The public keys in the GnuPG folder `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def problem_with(self, path: Path) -> str:
        """Return what is wrong with the signature of `path`, in the file beside it; "" if nothing.

        Raises ProcessError when GnuPG is missing.
        """
        signature = path.with_name(f"{path.name}.sig")
        if not signature.is_file():
            return "is missing"
        options = ["--batch", "--no-tty", "--no-autostart", "--no-auto-check-trustdb"]
        options += ["--trust-model", "always", "--status-fd", "1"]
        done = run(
            ["gpg", "--homedir", self._home, *options, "--verify", signature, path],
            timeout=_TIMEOUT,
            allowed=(0, 1, 2),
        )
        words = done.stdout.decode("utf-8", "replace").split()
        if done.returncode == 0 and "VALIDSIG" in words:
            return ""
        if "NO_PUBKEY" in words:
            return f"is by a key that is not in {self._home}"
        return "is not a good signature of this file"
