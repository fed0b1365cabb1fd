"""Deliveries as workers make them, signed by a key that the database runner knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.landing import LandingZone, Manifest, SignedManifest, describe_file

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.queue import Claim
    from scheduler.workerkeys import WorkerKey


def manifest_of(claim: Claim, *packages: Path, **wrong: Any) -> Manifest:  # noqa: ANN401
    """Return the manifest of a build of the job of `claim`, or one that is wrong in something."""
    spec = claim.spec
    values: dict[str, Any] = {
        "job": claim.job_id,
        "token": claim.token,
        "attempt": claim.attempt,
        "pkgbase": spec.pkgbase,
        "target_repo": spec.target_repo,
        "source_repo": spec.source_repo,
        "arch": spec.arch,
        "commit": spec.commit,
        "tree": "0" * 40,
        "pkgbuild_sha256": "0" * 64,
        "worker": claim.owner,
        "started": 1.0,
        "ended": 2.0,
        "files": tuple(describe_file(path) for path in packages),
    }
    return Manifest(**(values | wrong))


def allow(allowed_workers: Path, key: WorkerKey, *names: str) -> None:
    """Let deliveries of these workers be published, and no others."""
    lines = "".join(f"{key.allowed_line(name)}\n" for name in names)
    allowed_workers.write_text(lines, encoding="utf-8")


def deliver(landing: LandingZone, key: WorkerKey, manifest: Manifest, *packages: Path) -> str:
    """Sign and deliver packages that are all in one folder; return the delivery."""
    return landing.deliver(SignedManifest.sign(manifest, key), packages[0].parent)
