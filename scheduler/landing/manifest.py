"""What a worker says about a delivery."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NoReturn, Self

from caur_ci.errors import InputError, TemporaryError
from caur_ci.names import check_worker_name
from scheduler.files import copy_regular_file
from scheduler.schemas import problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scheduler.workerkeys import WorkerKey

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
MANIFEST_VERSION = 2
MAX_MANIFEST_SIZE = 32 * 1024 * 1024


class DeliveryError(InputError):
    """A delivery is not what its manifest or its job says. It is never published."""


class DeliveryStoppedError(TemporaryError):
    """A delivery was given up because it was to be stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFile:
    """A program or library of a package: the sonames that it provides and needs.

    `bits` is 32 or 64: libraries of both kinds have the same sonames.
    """

    path: str
    bits: int
    soname: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFile:
    """One package file of a delivery."""

    name: str
    size: int
    sha256: str
    elf: tuple[ElfFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a delivery is said to be.

    `tree` is the git tree of the folder that was built, `pkgbuild_sha256` the checksum of its
    PKGBUILD, both before anything was applied to it; `applied` lists what was. `worker` is the
    id of the worker, its name and something random. Times are Unix times, memory is in bytes; None
    is for what could not be measured.
    """

    job: int
    token: int
    attempt: int
    pkgbase: str
    target_repo: str
    source_repo: str
    arch: str
    commit: str
    tree: str
    pkgbuild_sha256: str
    worker: str
    started: float
    ended: float
    files: tuple[DeliveredFile, ...]
    executor: str = ""
    image: str = ""
    peak_memory: int | None = None
    cpu_seconds: float | None = None
    applied: tuple[str, ...] = ()
    version: int = MANIFEST_VERSION

    @property
    def delivery(self) -> str:
        """The name of the delivery's folder; no other claim of any job has the same."""
        return delivery_name(self.job, self.token)

    @property
    def worker_name(self) -> str:
        """The name of the worker, which its key goes by."""
        return _name_of(self.worker)

    def to_bytes(self) -> bytes:
        """Return the content of `manifest.json`."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read the content of `manifest.json`. Raises DeliveryError."""
        data = _load(content)
        problem = problem_of("delivery", data)
        if problem:
            raise DeliveryError(f"{MANIFEST}: {problem}")
        known: dict[str, Any] = {
            field.name: data[field.name] for field in fields(cls) if field.name in data
        }
        known["files"] = tuple(_delivered_file(file) for file in data["files"])
        known["applied"] = tuple(data["applied"])
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedManifest:
    """A manifest as it is delivered: its exact bytes, and the signature of those."""

    manifest: Manifest
    content: bytes
    signature: bytes

    @classmethod
    def sign(cls, manifest: Manifest, key: WorkerKey) -> Self:
        """Sign `manifest`. Raises ProcessError."""
        content = manifest.to_bytes()
        return cls(manifest=manifest, content=content, signature=key.sign(content))


class DeliveryAwaitedError(TemporaryError):
    """A delivery cannot be published now, but may be once somebody has put something right."""


def signer_of(content: bytes) -> str:
    """Return the name of the worker that a manifest says it is from. Raises InputError."""
    data = _load(content)
    worker = data.get("worker") if isinstance(data, dict) else None
    if not isinstance(worker, str):
        raise DeliveryError(f"{MANIFEST} does not say which worker it is from")
    return check_worker_name(_name_of(worker))


def delivery_name(job: int, token: int) -> str:
    """Return the name of the delivery that is made under a claim."""
    return f"{job}-{token}"


def describe_file(path: Path) -> DeliveredFile:
    """Return a file's name, size and checksum. Raises NotAFileError and OSError."""
    digest = copy_regular_file(path)
    return DeliveredFile(name=path.name, size=digest.size, sha256=digest.sha256)


def _delivered_file(data: Mapping[str, Any]) -> DeliveredFile:
    name = data["name"]
    if "/" in name or name in {".", "..", MANIFEST, SIGNATURE}:
        raise DeliveryError(f"{name!a} cannot be the name of a delivered file")
    elf = tuple(
        ElfFile(
            path=each["path"],
            bits=each["bits"],
            soname=each["soname"],
            needs=tuple(each["needs"]),
        )
        for each in data["elf"]
    )
    return DeliveredFile(name=name, size=data["size"], sha256=data["sha256"], elf=elf)


def _load(content: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise DeliveryError(f"{MANIFEST} cannot be read: {error}") from error


def _name_of(worker: str) -> str:
    return worker.rpartition("-")[0]


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
