"""A landing zone on this machine."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from scheduler.files import NotAFileError, copy_regular_file, open_regular_file, sync_folder
from scheduler.landing.manifest import (
    MANIFEST,
    MAX_MANIFEST_SIZE,
    SIGNATURE,
    DeliveryError,
    Manifest,
    signer_of,
)
from scheduler.workerkeys import MAX_SIGNATURE_SIZE

if TYPE_CHECKING:
    from scheduler.landing.manifest import SignedManifest
    from scheduler.queue import Claim
    from scheduler.workerkeys import AllowedWorkers

_DELIVERY_NAME = re.compile(r"[0-9]+-[0-9]+")
_REJECTED = ".rejected"
# What an unfinished delivery is called; the rest of the name is random.
INCOMING = ".incoming-{delivery}-"


class LandingZone:
    """The folder of deliveries, for workers on this machine and for the database runner."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def deliver(self, signed: SignedManifest, output: Path) -> str:
        """Copy the manifest's files from `output` into the landing zone; return the delivery.

        Delivering the same again replaces it. Raises DeliveryError for a file that is not what
        the manifest says, and OSError.
        """
        manifest = signed.manifest
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / manifest.delivery
        prefix = INCOMING.format(delivery=manifest.delivery)
        incoming = self.folder / f"{prefix}{secrets.token_hex(4)}"
        incoming.mkdir()
        try:
            for file in manifest.files:
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
        if _DELIVERY_NAME.fullmatch(delivery) is None:
            raise DeliveryError(f"{delivery!r} cannot be the name of a delivery")
        return self.folder / delivery

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
