"""A landing zone on this machine."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from scheduler.files import NotAFileError, copy_regular_file, open_regular_file, sync_folder
from scheduler.landing.manifest import (
    MANIFEST,
    MAX_MANIFEST_SIZE,
    SIGNATURE,
    DeliveryError,
    DeliveryStoppedError,
    Manifest,
    signer_of,
)
from scheduler.workerkeys import MAX_SIGNATURE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler.landing.manifest import SignedManifest
    from scheduler.queue import Claim
    from scheduler.workerkeys import AllowedWorkers

_DELIVERY_NAME = re.compile(r"[0-9]+-[0-9]+")
_REJECTED = ".rejected"
_INCOMING_NAME = re.compile(r"\.incoming-([0-9]+-[0-9]+)-[0-9a-f]+")
# Nobody may have looked at what was rejected for this long.
_REJECTED_FOR = 30 * 24 * 3600.0


class LandingZone:
    """The folder of deliveries, for workers on this machine and for the database runner."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self) -> None:
        """Make the folder if it is not there. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def deliver(
        self,
        signed: SignedManifest,
        output: Path,
        *,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> str:
        """Copy the manifest's files into the landing zone; return the delivery. See `Landing`."""
        manifest = signed.manifest
        self.check()
        target = self.folder / manifest.delivery
        incoming = self.folder / incoming_name(manifest.delivery, secrets.token_hex(4))
        incoming.mkdir()
        try:
            for file in manifest.files:
                if should_stop():
                    raise DeliveryStoppedError(f"delivery {manifest.delivery} was given up")
                digest = copy_regular_file(output / file.name, incoming / file.name)
                if (digest.size, digest.sha256) != (file.size, file.sha256):
                    raise DeliveryError(f"{file.name} changed while it was being delivered")
            _write(incoming / MANIFEST, signed.content)
            _write(incoming / SIGNATURE, signed.signature)
            sync_folder(incoming)
            if target.exists():
                shutil.rmtree(target)
            incoming.rename(target)
            sync_folder(self.folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        return manifest.delivery

    def read(self, claim: Claim, allowed: AllowedWorkers) -> Manifest:
        """Return the manifest of the delivery of `claim`, if an allowed worker has signed it.

        Raises DeliveryError when it is missing, makes no sense, is signed by somebody else or
        belongs to another job or attempt; OSError when the landing zone itself is not to be had,
        and TemporaryError when the allowed workers are not.
        """
        self.folder.stat()
        path = self.path_of(claim.delivery)
        try:
            content = _read(path / MANIFEST, MAX_MANIFEST_SIZE)
            signature = _read(path / SIGNATURE, MAX_SIGNATURE_SIZE)
            # What is not signed is not looked at any further.
            allowed.check(signer_of(content), content, signature)
            manifest = Manifest.from_bytes(content)
        except FileNotFoundError as error:
            what = f" has no {Path(error.filename).name}" if path.is_dir() else " is not there"
            raise DeliveryError(
                f"delivery {claim.delivery}{what} (landing zone {self.folder})"
            ) from error
        except InputError as error:
            raise DeliveryError(
                f"delivery {claim.delivery}: {error.message}", hint=error.hint
            ) from error
        _check_claim(manifest, claim)
        return manifest

    def path_of(self, delivery: str) -> Path:
        """Return the folder of a delivery. Raises DeliveryError for what cannot be one's name."""
        return self.folder / check_delivery_name(delivery)

    def remove(self, delivery: str) -> None:
        """Remove a delivery that nobody needs any more."""
        shutil.rmtree(self.path_of(delivery), ignore_errors=True)

    def set_aside(self, delivery: str, reason: str) -> None:
        """Keep a delivery that must not be published, and why, for people to look at."""
        path = self.path_of(delivery)
        if not path.is_dir():
            return
        rejected = self.folder / _REJECTED
        rejected.mkdir(exist_ok=True)
        shutil.rmtree(rejected / delivery, ignore_errors=True)
        path.rename(rejected / delivery)
        (rejected / f"{delivery}.reason").write_text(f"{reason}\n", encoding="utf-8")

    def sweep(self, is_wanted: Callable[[str], bool], *, after: float) -> list[str]:
        """Remove what nobody will ever pick up, if it is older than `after` seconds.

        `is_wanted` tells whether somebody is still working on a delivery, by its name. That goes
        for what uploads that broke have left as well. Returns the names of what went. What was
        rejected stays for a month. Raises OSError, and what `is_wanted` raises.
        """
        if not self.folder.is_dir():
            return []
        # Listed before anybody is asked: what comes meanwhile stays.
        old = [path for path in sorted(self.folder.iterdir()) if _age(path) > after]
        gone = [path for path in old if (name := _delivery_of(path)) and not is_wanted(name)]
        if (rejected := self.folder / _REJECTED).is_dir():
            gone += [path for path in rejected.iterdir() if _age(path) > _REJECTED_FOR]
        for path in gone:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return [path.name for path in gone]


def check_delivery_name(delivery: str) -> str:
    """Return `delivery`, or raise DeliveryError for what cannot be the name of one."""
    if _DELIVERY_NAME.fullmatch(delivery) is None:
        raise DeliveryError(f"{delivery!r} cannot be the name of a delivery")
    return delivery


def incoming_name(delivery: str, mark: str) -> str:
    """Return what a delivery is called until it is complete; `mark` is random."""
    return f".incoming-{delivery}-{mark}"


def _delivery_of(path: Path) -> str:
    if _DELIVERY_NAME.fullmatch(path.name):
        return path.name
    match = _INCOMING_NAME.fullmatch(path.name)
    return match[1] if match else ""


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:  # it is somebody else's, who is done with it
        return 0.0


def _check_claim(manifest: Manifest, claim: Claim) -> None:
    """Raise DeliveryError where `manifest` is of something else than what `claim` is for."""
    spec = claim.spec
    said = (manifest.job, manifest.pkgbase, manifest.target_repo, manifest.arch)
    if manifest.delivery != claim.delivery or said != (
        claim.job_id,
        spec.pkgbase,
        spec.target_repo,
        spec.arch,
    ):
        raise DeliveryError(f"delivery {claim.delivery} is of another job")
    if manifest.attempt != claim.attempt:
        raise DeliveryError(
            f"delivery {claim.delivery} is of attempt {manifest.attempt}, "
            f"and attempt {claim.attempt} is the last that was handed out"
        )
    # Whoever may deliver could put something else in the place of another worker's delivery.
    if claim.builder and manifest.worker != claim.builder:
        raise DeliveryError(
            f"delivery {claim.delivery} is of {manifest.worker}, and {claim.builder} had the job"
        )
    if (manifest.commit, manifest.source_repo) != (spec.commit, spec.source_repo):
        raise DeliveryError(
            f"delivery {claim.delivery} was built from commit {manifest.commit} of "
            f"{manifest.source_repo}, not from {spec.commit} of {spec.source_repo}"
        )


def _read(path: Path, limit: int) -> bytes:
    with open_regular_file(path) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise NotAFileError(f"{path.name} is larger than {limit} bytes")
    return content


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
