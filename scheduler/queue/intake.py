"""The door of the queue: what is let in, and the form in which it is kept."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from caur_ci.errors import InputError
from caur_ci.names import (
    check_architecture,
    check_package_name,
    check_repository_name,
    check_worker_name,
)
from caur_ci.request import normalize_build_class
from scheduler.job import JobSpec, OnFailure, Removal

MAX_SPEC_SIZE = 256 * 1024

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
# The name of a package, virtual package or soname that somebody depends on.
_RELATION = re.compile(r"[^\s\x00-\x1f\x7f,;<>=]{1,255}")
_BUILD_CLASS_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


def check_request_id(request_id: str) -> str:
    """Return `request_id`, or raise InputError."""
    if not _REQUEST_ID.fullmatch(request_id):
        raise InputError(f"{request_id[:200]!r} cannot be the id of a request")
    return request_id


def encode_job(job: JobSpec) -> str:
    """Return the form in which `job` is kept, checked.

    Raises InputError saying what about it cannot be accepted.
    """
    check_repository_name(job.target_repo)
    check_repository_name(job.source_repo)
    check_architecture(job.arch)
    check_package_name(job.pkgbase)
    for name in job.pkgnames:
        check_package_name(name)
    for name in (*job.provides, *job.depends):
        if not _RELATION.fullmatch(name):
            raise InputError(f"{name[:200]!r} is not a name that a package can depend on")
    if not _COMMIT.fullmatch(job.commit):
        raise InputError(f"{job.commit[:200]!r} is not the id of a commit")
    build_class = check_build_class(job.build_class)
    text = _to_json(
        {
            "pkgbase": job.pkgbase,
            "target_repo": job.target_repo,
            "source_repo": job.source_repo,
            "commit": job.commit,
            "arch": job.arch,
            "build_class": build_class,
            "pkgnames": job.pkgnames,
            "provides": job.provides,
            "depends": job.depends,
            "arch_mirror": job.arch_mirror,
            "commit_reference": job.commit_reference,
            "reason": job.reason,
            "on_failure": job.on_failure,
        }
    )
    if len(text) > MAX_SPEC_SIZE:
        raise InputError(
            f"{job.pkgbase} says {len(text)} bytes about itself, {MAX_SPEC_SIZE} are allowed"
        )
    return text


def decode_job(text: bytes) -> JobSpec:
    """Return the job that was kept as `text`."""
    data = cast("dict[str, Any]", json.loads(text))
    for field in ("pkgnames", "provides", "depends"):
        data[field] = tuple(data[field])
    data["on_failure"] = OnFailure(data["on_failure"])
    return JobSpec(**data)


def encode_removal(removal: Removal) -> str:
    """Return the form in which `removal` is kept, checked. Raises InputError."""
    check_repository_name(removal.target_repo)
    check_architecture(removal.arch)
    for base in (*removal.remove, *removal.keep):
        check_package_name(base)
    if bool(removal.remove) == bool(removal.keep):
        raise InputError("a removal names either what is to go or what is to stay")
    return _to_json(
        {
            "target_repo": removal.target_repo,
            "arch": removal.arch,
            "remove": removal.remove,
            "keep": removal.keep,
        }
    )


def decode_removal(text: bytes) -> Removal:
    """Return the removal that was kept as `text`."""
    data = cast("dict[str, Any]", json.loads(text))
    return Removal(
        target_repo=data["target_repo"],
        arch=data["arch"],
        remove=tuple(data["remove"]),
        keep=tuple(data["keep"]),
    )


def check_build_class(build_class: str) -> str:
    """Return the build class in its one form, or raise InputError."""
    build_class = normalize_build_class(build_class)
    if _BUILD_CLASS_NUMBER.fullmatch(build_class):
        return build_class
    if build_class.isdigit():
        raise InputError(f"the build class {build_class[:20]} is above 9999")
    return check_worker_name(build_class)


def _to_json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
