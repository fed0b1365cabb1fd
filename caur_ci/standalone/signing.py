"""The key that a run signs with: a secret of the pipeline, a GnuPG folder, or one made here."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError, ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.environment import Secrets

KEY_VARIABLE = "GPG_PRIVATE_KEY"
_FOLDER_VARIABLE = "GPG_PATH"
_USER = "caur-ci run <caur-ci@localhost.invalid>"
_TIMEOUT = 120.0
_HINT = (
    "gpg --armor --export-secret-keys KEY prints what belongs into it; a passphrase goes into "
    "GPG_PASSPHRASE."
)


@dataclass(frozen=True, slots=True)
class SigningHome:
    """The GnuPG folder with the key. `made_here` is the file that has it, if it was made for us."""

    folder: Path
    made_here: Path | None = None


@contextmanager
def signing_home(
    kept: Path, environ: Mapping[str, str], secrets: Secrets, *, may_make: bool
) -> Iterator[SigningHome]:
    """Provide the key: that of GPG_PRIVATE_KEY, else that in GPG_PATH, else the one in `kept`.

    The first may be the path of a file as well. The last one is made where it is missing and
    `may_make` allows it. Raises ConfigError without a key, and for one that GnuPG cannot read.
    """
    text = secrets.get(KEY_VARIABLE, "")
    if not text and environ.get(_FOLDER_VARIABLE):
        yield SigningHome(Path(environ[_FOLDER_VARIABLE]).absolute())
        return
    with private_gnupg() as home:
        if text:
            _import(home, _key_in(text), KEY_VARIABLE)
            yield SigningHome(home)
            return
        if kept.exists():
            _import(home, kept.read_bytes(), str(kept))
        elif may_make:
            make_key(home, _USER)
            _keep(home, kept)
        else:
            raise ConfigError(
                f"there is no key to sign packages with: neither {KEY_VARIABLE} nor "
                f"{_FOLDER_VARIABLE} is set",
                hint=f"Make {KEY_VARIABLE} a secret variable of the pipeline. {_HINT}",
            )
        yield SigningHome(home, made_here=kept)


@contextmanager
def private_gnupg() -> Iterator[Path]:
    """Provide an empty GnuPG folder, whose path is short enough for the socket of its agent."""
    home = Path(tempfile.mkdtemp(prefix="caur-gpg-"))
    try:
        yield home
    finally:
        end_agent(home)
        shutil.rmtree(home, ignore_errors=True)


def end_agent(home: Path) -> None:
    """End the agent that gpg leaves behind for every home it was used with."""
    run(["gpgconf", "--homedir", home, "--kill", "all"], allowed=(0, 1, 2), timeout=_TIMEOUT)


def make_key(home: Path, user: str) -> str:
    """Make a key for signing without a passphrase, and return its fingerprint."""
    _gpg(home, "--passphrase", "", "--quick-generate-key", user, "ed25519", "sign", "never")
    listing = _gpg(home, "--with-colons", "--list-keys", user).decode()
    return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))


def _key_in(text: str) -> bytes:
    """Return the key that a variable holds, or the file that it names, as GitLab has it."""
    if not text.startswith("/"):
        return f"{text}\n".encode()
    try:
        return Path(text).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the file that {KEY_VARIABLE} names cannot be read: {error.strerror}", hint=_HINT
        ) from error


def _keep(home: Path, kept: Path) -> None:
    key = _gpg(home, "--armor", "--export-secret-keys")
    fresh = kept.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(key)
    fresh.rename(kept)


def _import(home: Path, key: bytes, origin: str) -> None:
    try:
        _gpg(home, "--import", stdin=key)
        found = _gpg(home, "--with-colons", "--list-secret-keys")
    except ProcessError as error:
        raise ConfigError(f"GnuPG cannot read the key in {origin}", hint=_HINT) from error
    if not found.startswith(b"sec:") and b"\nsec:" not in found:
        raise ConfigError(f"{origin} holds no secret key", hint=_HINT)


def _gpg(home: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", *arguments]
    return run(command, stdin=stdin, timeout=_TIMEOUT).stdout
