"""Which worker made a delivery: workers sign with SSH keys, and a file says whose are allowed.

That file has the form of ssh-keygen's ALLOWED SIGNERS, with the names of workers as principals.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Self

from caur_ci.errors import ConfigError, InputError, ProcessError, TemporaryError
from caur_ci.names import check_worker_name
from caur_ci.process import run
from scheduler.files import sync_folder

if TYPE_CHECKING:
    import subprocess

# Nothing else that is signed with such a key can be taken for a delivery.
NAMESPACE = "caur-ci-delivery"
MAX_SIGNATURE_SIZE = 64 * 1024
_TIMEOUT = 60.0
_NOBODY = b"No user exists for uid"


class SignatureError(InputError):
    """A signature is missing, not that of the content, or not by who it should be."""


@dataclass(frozen=True, slots=True)
class WorkerKey:
    """The key of a worker, in a file that only the worker's user can read."""

    path: Path

    @classmethod
    def ensure(cls, path: Path) -> Self:
        """Return the key in the file `path`, which is made if it is not there.

        Raises ConfigError for a file that cannot be used, ProcessError without ssh-keygen.
        """
        if not os.path.lexists(path):
            _make_key(path)
        key = cls(path)
        key.check()
        return key

    def check(self) -> None:
        """Raise ConfigError for a file that holds no key, or one that others can read."""
        try:
            status = self.path.stat()
        except OSError as error:
            raise ConfigError(
                f"the worker's key {self.path} cannot be read: {error.strerror}"
            ) from error
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
            raise ConfigError(
                f"the worker's key {self.path} is not for its owner alone",
                hint=f"chmod 600 {self.path}, or make a new key if somebody may have read it.",
            )
        self.public_key()

    def public_key(self) -> str:
        """Return the public half, as type and base64 text. Raises ConfigError."""
        try:
            # An empty passphrase, so that it does not ask for one.
            shown = _ssh_keygen("-y", "-P", "", "-f", str(self.path))
        except ProcessError as error:
            if error.returncode is None:
                raise
            raise ConfigError(
                f"{self.path} holds no SSH key that a worker can use",
                hint="It has to be a private key without passphrase; without the file the worker "
                "makes one.",
            ) from error
        return " ".join(shown.stdout.decode("ascii", "replace").split()[:2])

    def allowed_line(self, name: str) -> str:
        """Return the line that lets deliveries of the worker `name` be published."""
        return f'{check_worker_name(name)} namespaces="{NAMESPACE}" {self.public_key()}'

    def sign(self, content: bytes) -> bytes:
        """Return a signature of `content`. Raises ProcessError."""
        options = ["-n", NAMESPACE, "-f", str(self.path)]
        return _ssh_keygen("-q", "-Y", "sign", *options, stdin=content).stdout


@dataclass(frozen=True, slots=True)
class AllowedWorkers:
    """The workers whose deliveries are published. The file is read anew for each of them."""

    path: Path

    def check_file(self) -> None:
        """Raise ConfigError where the file cannot be read."""
        try:
            self.path.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"ALLOWED_WORKERS: the file {self.path} cannot be read: {error.strerror}",
                hint="It holds a line for each worker; `caur-ci worker --print-key` shows it.",
            ) from error

    def names(self, worker: str) -> bool:
        """Tell whether the file has a line for `worker`, whatever its key.

        Raises TemporaryError where the file cannot be read.
        """
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise TemporaryError(f"ALLOWED_WORKERS: {self.path}: {error.strerror}") from error
        patterns = [line.split(maxsplit=1)[0] for line in lines if line.strip()]
        return any(
            fnmatchcase(worker, pattern)
            for principals in patterns
            for pattern in principals.strip('"').split(",")
        )

    def check(self, name: str, content: bytes, signature: bytes) -> None:
        """Raise SignatureError unless the worker `name` has signed exactly this `content`.

        Raises TemporaryError where the file of workers cannot be read: that says nothing about
        the content.
        """
        check_worker_name(name)
        try:
            self.check_file()
        except ConfigError as error:
            raise TemporaryError(error.message, hint=error.hint) from error
        with tempfile.NamedTemporaryFile(prefix="caur-ci-signature-") as file:
            file.write(signature)
            file.flush()
            options = ["-n", NAMESPACE, "-f", str(self.path), "-I", name, "-s", file.name]
            done = run(
                ["ssh-keygen", "-Y", "verify", *options],
                stdin=content,
                timeout=_TIMEOUT,
                allowed=(0, 255),
            )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise SignatureError(
                f"it is not signed by a key that ALLOWED_WORKERS has for the worker {name}"
                + (f" ({said[-1]})" if said else ""),
                hint="`caur-ci worker --print-key` on that worker shows the line for the file.",
            )


def _ssh_keygen(*options: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run ssh-keygen. Raises ConfigError where it refuses this user, and ProcessError."""
    try:
        return run(["ssh-keygen", *options], stdin=stdin, timeout=_TIMEOUT)
    except ProcessError as error:
        if _NOBODY not in error.stderr:
            raise
        raise ConfigError(
            f"ssh-keygen does not work for a user without a name, and {os.geteuid()} has none here",
            hint="Give this user id an entry in /etc/passwd, for example with useradd.",
        ) from error


def _make_key(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            draft = Path(folder) / "key"
            options = ["-t", "ed25519", "-N", "", "-C", "caur-ci worker", "-f", str(draft)]
            _ssh_keygen("-q", *options)
            with draft.open("rb") as stream:
                os.fsync(stream.fileno())
            # Of several workers that start at once, one brings the key.
            with suppress(FileExistsError):
                path.hardlink_to(draft)
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigError(
            f"the worker's key {path} cannot be made: {error.strerror}",
            hint="Set BUILDER_KEY to a file in a folder that the worker may write to.",
        ) from error
