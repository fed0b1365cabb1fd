"""The landing zone: where workers put what they built and the database runner finds it.

A delivery is a folder with the package files and `manifest.json`. It is written under another
name and then renamed, so it is complete or not there.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from scheduler.files import NotAFileError, copy_regular_file, open_regular_file, sync_folder
from scheduler.schemas import problem_of

if TYPE_CHECKING:
    from scheduler.queue import Claim

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
MAX_MANIFEST_SIZE = 16 * 1024 * 1024
_DELIVERY_NAME = re.compile(r"[0-9]+-[0-9]+")
_REJECTED = ".rejected"


class DeliveryError(InputError):
    """A delivery is not what its manifest or its job says. It is never published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFile:
    """One package file of a delivery."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a delivery is said to be. `tree` is the git tree of the folder that was built."""

    job: int
    token: int
    attempt: int
    pkgbase: str
    target_repo: str
    source_repo: str
    arch: str
    commit: str
    tree: str
    worker: str
    started: float
    ended: float
    files: tuple[DeliveredFile, ...]
    version: int = MANIFEST_VERSION

    @property
    def delivery(self) -> str:
        """The name of the delivery's folder; no other claim of any job has the same."""
        return delivery_name(self.job, self.token)


def delivery_name(job: int, token: int) -> str:
    """Return the name of the delivery that is made under a claim."""
    return f"{job}-{token}"


class LandingZone:
    """A landing zone on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def deliver(self, manifest: Manifest, output: Path) -> str:
        """Copy the manifest's files from `output` into the landing zone; return the delivery.

        Delivering the same again replaces it. Raises OSError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / manifest.delivery
        incoming = self.folder / f".incoming-{manifest.delivery}-{secrets.token_hex(4)}"
        incoming.mkdir()
        try:
            for file in manifest.files:
                digest = copy_regular_file(output / file.name, incoming / file.name)
                if (digest.size, digest.sha256) != (file.size, file.sha256):
                    raise DeliveryError(f"{file.name} changed while it was being delivered")
            text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False)
            with (incoming / MANIFEST).open("w", encoding="utf-8") as stream:
                stream.write(f"{text}\n")
                stream.flush()
                os.fsync(stream.fileno())
            if target.exists():
                shutil.rmtree(target)
            incoming.rename(target)
            sync_folder(self.folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        return manifest.delivery

    def read(self, claim: Claim) -> Manifest:
        """Return the manifest of the delivery of `claim`.

        Raises DeliveryError when it is missing, makes no sense or belongs to another job, and
        OSError when the landing zone itself is not to be had.
        """
        self.folder.stat()
        manifest = self._manifest(claim.delivery)
        spec = claim.spec
        said = (manifest.job, manifest.pkgbase, manifest.target_repo, manifest.arch)
        if manifest.delivery != claim.delivery or said != (
            claim.job_id,
            spec.pkgbase,
            spec.target_repo,
            spec.arch,
        ):
            raise DeliveryError(f"delivery {claim.delivery} is of another job")
        if (manifest.commit, manifest.source_repo) != (spec.commit, spec.source_repo):
            raise DeliveryError(
                f"delivery {claim.delivery} was built from commit {manifest.commit}, "
                f"not from {spec.commit}"
            )
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

    def _manifest(self, delivery: str) -> Manifest:
        path = self.path_of(delivery) / MANIFEST
        try:
            with open_regular_file(path) as stream:
                text = stream.read(MAX_MANIFEST_SIZE)
            data = json.loads(text)
        except FileNotFoundError as error:
            raise DeliveryError(f"delivery {delivery} is not in {self.folder}") from error
        except (ValueError, NotAFileError) as error:
            raise DeliveryError(f"delivery {delivery} cannot be read: {error}") from error
        problem = problem_of("delivery", data)
        if problem:
            raise DeliveryError(f"{MANIFEST} of delivery {delivery}: {problem}")
        files = tuple(_delivered_file(file) for file in data.pop("files"))
        known = {name: data[name] for name in Manifest.__slots__ if name in data}
        return Manifest(files=files, **known)


def describe_file(path: Path) -> DeliveredFile:
    """Return a file's name, size and checksum. Raises NotAFileError and OSError."""
    digest = copy_regular_file(path)
    return DeliveredFile(name=path.name, size=digest.size, sha256=digest.sha256)


def _delivered_file(data: dict[str, object]) -> DeliveredFile:
    name, size, digest = str(data["name"]), data["size"], str(data["sha256"])
    if Path(name).name != name or name in {".", "..", MANIFEST}:
        raise DeliveryError(f"{name!a} cannot be the name of a delivered file")
    assert isinstance(size, int)  # noqa: S101 - the schema has checked it
    return DeliveredFile(name=name, size=size, sha256=digest)
