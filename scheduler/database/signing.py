"""Detached GnuPG signatures."""

from __future__ import annotations

import logging
import math
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable

_log = logging.getLogger(__name__)

_TIMEOUT = 300.0
_SOON = 30 * 24 * 3600.0
_CAPABILITIES = 11
# Where lines for fingerprints have them.
_USER_ID = 9
_FAILURE = re.compile(rb"^\[GNUPG:\] FAILURE sign (\d+)", re.MULTILINE)
# GnuPG's numbers: a wrong passphrase, nobody to ask for it, nobody who answers, none given.
_PASSPHRASE = frozenset({11, 62, 85, 99, 177})
_AT_ONCE = 4
# The last word about a good signature is the fingerprint of the primary key behind it.
_VALID = re.compile(rb"^\[GNUPG:\] VALIDSIG .* ([0-9A-F]{40,64})$", re.MULTILINE)
# Of the key that made a signature, as `gpg --list-packets` shows it.
_FINGERPRINT = re.compile(rb"issuer fpr v[0-9]+ ([0-9A-F]{40,64})")


class SigningError(CaurError):
    """GnuPG did not sign. What was to be signed is not published."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key for signing, which it is good for while `valid`; `expires` is Unix time, if it does."""

    id: str
    valid: bool
    expires: float | None

    @property
    def expiry(self) -> str:
        """The day on which it expires, for people."""
        if self.expires is None:
            return "never"
        return datetime.fromtimestamp(self.expires, tz=UTC).strftime("%Y-%m-%d")


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
        self.warn_of_expiry()

    def warn_of_expiry(self) -> None:
        """Log a warning if the key is to expire soon. Raises ProcessError."""
        keys = [key for key in self._keys() if key.valid]
        until = _expiry_of(keys)
        if until - time.time() < _SOON:
            key = next(key for key in keys if key.expires == until)
            _log.warning(
                "the signing key %s in %s expires on %s. %s",
                *(key.id, self._home, key.expiry, self._how_to_extend(key)),
            )

    def expires(self) -> float:
        """Return the Unix time at which no key can sign any more, infinity for never.

        Raises ProcessError.
        """
        return _expiry_of(key for key in self._keys() if key.valid)

    def public_key(self) -> bytes:
        """Return the public half of the key, as text that GnuPG imports. Raises SigningError."""
        with tempfile.TemporaryDirectory(prefix="caur-sign-") as folder:
            probe = Path(folder, "probe")
            probe.touch()
            signature = self.sign(probe)
            options = ["--batch", "--no-tty", "--list-packets", "--", str(signature)]
            packets = run(["gpg", "--homedir", self._home, *options], timeout=_TIMEOUT).stdout
        found = _FINGERPRINT.search(packets)
        if found is None:
            raise SigningError("GnuPG does not say which key it signs with")
        export = ["--batch", "--no-tty", "--armor", "--export", "--", found[1].decode()]
        return run(["gpg", "--homedir", self._home, *export], timeout=_TIMEOUT).stdout

    def sign(self, path: Path) -> Path:
        """Write the signature of `path` beside it, and return it. Raises SigningError."""
        signature = path.with_name(f"{path.name}.sig")
        options: list[str | Path] = ["--batch", "--no-tty", "--quiet", "--yes", "--no-armor"]
        options += ["--status-fd", "2"]
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
            raise self._explained(error) from error
        return signature

    def _explained(self, error: ProcessError) -> SigningError:
        """Return the error that says what is wrong with the key, as far as GnuPG tells."""
        codes = {int(code) & 0xFFFF for code in _FAILURE.findall(error.stderr)}
        if codes & _PASSPHRASE or b"PINENTRY_LAUNCHED" in error.stderr:
            wrong = "is another one" if self._passphrase else "is needed"
            return SigningError(
                f"the signing key in {self._home} cannot be used: its passphrase {wrong}",
                hint="GPG_PASSPHRASE holds it; or take it away with `gpg --homedir "
                f"{self._home} --change-passphrase KEY`.",
            )
        keys = self._keys() if error.returncode is not None else []
        if keys and not any(key.valid for key in keys):
            expired = [key for key in keys if key.expires and key.expires < time.time()]
            if expired:
                return SigningError(
                    f"the signing key {expired[0].id} in {self._home} expired on "
                    f"{expired[0].expiry}",
                    hint=self._how_to_extend(expired[0]),
                )
            return SigningError(f"the signing key {keys[0].id} in {self._home} is not valid")
        said = [
            line
            for line in error.stderr.decode(errors="replace").splitlines()
            if not line.startswith("[GNUPG:]")
        ]
        return SigningError(
            f"signing failed: {'; '.join(said) or error.message}",
            hint=f"Is there a secret key in {self._home}, and does GPG_KEY name it? The path "
            "of that folder must be short (less than about 90 characters) for its agent.",
        )

    def _keys(self) -> list[SecretKey]:
        """Return the keys and subkeys that sign, among those that may be meant."""
        found = []
        for fields in _secret_keys(self._home, self._key):
            is_key = fields[0] in {"sec", "ssb"} and len(fields) > _CAPABILITIES
            if is_key and "s" in fields[_CAPABILITIES]:
                expires = float(fields[6]) if fields[6].isdecimal() else None
                valid = fields[1] not in {"e", "r", "d", "i"}
                found.append(SecretKey(fields[4], valid, expires))
        return found

    def _how_to_extend(self, key: SecretKey) -> str:
        return (
            f"`gpg --homedir {self._home} --quick-set-expire FINGERPRINT 2y` gives {key.id} more "
            "time; then give the public key to the users of the repository anew."
        )

    def sign_all(self, paths: Iterable[Path]) -> None:
        """Sign several files. Raises SigningError."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self.sign, paths))


def _expiry_of(keys: Iterable[SecretKey]) -> float:
    return max((key.expires or math.inf for key in keys), default=math.inf)


class Keyring:
    """The public keys in the GnuPG folder `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def problem_with(self, path: Path) -> str:
        """Return what is wrong with the signature of `path`, in the file beside it; "" if nothing.

        Raises ProcessError when GnuPG is missing.
        """
        return self._verified(path)[0]

    def problem_with_own(self, path: Path) -> str:
        """Do as `problem_with`, for what only a key may have signed that is secret here."""
        problem, signer = self._verified(path)
        if problem or signer in self._own():
            return problem
        return f"is by {signer}, which is no secret key in {self._home}"

    def _verified(self, path: Path) -> tuple[str, str]:
        """Return what is wrong with a signature, and the fingerprint of the key of a good one."""
        signature = path.with_name(f"{path.name}.sig")
        if not signature.is_file():
            return "is missing", ""
        options = ["--batch", "--no-tty", "--no-autostart", "--no-auto-check-trustdb"]
        options += ["--trust-model", "always", "--status-fd", "1"]
        done = run(
            ["gpg", "--homedir", self._home, *options, "--verify", signature, path],
            timeout=_TIMEOUT,
            allowed=(0, 1, 2),
        )
        valid = _VALID.search(done.stdout)
        if done.returncode == 0 and valid:
            return "", valid[1].decode()
        if b"NO_PUBKEY" in done.stdout.split():
            return f"is by a key that is not in {self._home}", ""
        return "is not a good signature of this file", ""

    def _own(self) -> set[str]:
        """Return the fingerprints of the keys, and subkeys, of which the secret half is there."""
        return {
            fields[_USER_ID]
            for fields in _secret_keys(self._home)
            if fields[0] == "fpr" and len(fields) > _USER_ID
        }


def _secret_keys(home: Path, key: str = "") -> list[list[str]]:
    """Return GnuPG's listing of secret keys, of all or of those that `key` names.

    As in its DETAILS, a line for keys is: kind, validity, …, id, created, expires, …, capabilities;
    and one for fingerprints: `fpr`, …, user id.
    """
    wanted = ["--", key] if key else []
    listing = run(
        ["gpg", "--homedir", home, "--batch", "--with-colons", "-K", *wanted],
        timeout=_TIMEOUT,
        allowed=(0, 2),
    ).stdout.decode(errors="replace")
    return [line.split(":") for line in listing.splitlines()]
