"""Reads the queue of the existing manager: the Redis value `build-queue`, of its version 3."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from caur_ci.errors import InputError
from caur_ci.relations import Relation
from caur_ci.request import normalize_build_class
from scheduler.job import DEFAULT_BUILD_CLASS, JobSpec
from scheduler.queue import Refusal
from scheduler.schemas import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_KEY = "build-queue"

_VERSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyQueue:
    """What of the old queue can be built, in its order, and what cannot be taken over.

    `request_id` follows from the content, so that the same queue taken over twice is one request.
    """

    request_id: str
    jobs: tuple[JobSpec, ...]
    refused: tuple[Refusal, ...]


def read_legacy_queue(text: str | bytes, *, origin: str, commit: str = "") -> LegacyQueue:
    """Read a queue that came from `origin` (a file or key, for messages).

    `commit` is what those jobs build that name no commit. Raises InputError when the whole cannot
    be read; a job that cannot be taken over is refused alone.
    """
    jobs: list[JobSpec] = []
    refused: list[Refusal] = []
    for number, job in enumerate(_saved_jobs(text, origin)):
        try:
            jobs.append(read_legacy_job(job, f"$.save_queue[{number}]", commit=commit))
        except InputError as error:
            refused.append(Refusal(identity=name_of_legacy_job(job), reason=error.message))
    return LegacyQueue(request_id=_request_id(jobs), jobs=tuple(jobs), refused=tuple(refused))


def _saved_jobs(text: str | bytes, origin: str) -> list[Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputError(f"{origin} is not JSON: {error}") from error
    problem = problem_of("legacy-queue", data)
    if problem:
        raise InputError(
            f"{origin} is not a queue of the existing manager: {problem}",
            hint='It looks like {"save_queue": [...], "version": 3}.',
        )
    version = data.get("version")
    if version != _VERSION or isinstance(version, bool):
        told = "no version" if version is None else f"version {version!r:.40}"
        raise InputError(
            f"{origin} has {told}, and only version {_VERSION} can be read",
            hint="Let the manager of infra 4.0 save its queue, and import that.",
        )
    return cast("list[Any]", data["save_queue"])


def read_legacy_job(
    job: Any,  # noqa: ANN401 - any JSON value
    path: str,
    *,
    commit: str = "",
    reason: str = "taken over from the existing manager",
) -> JobSpec:
    """Read one job, which `path` names in messages; `commit` as in `read_legacy_queue`.

    Raises InputError.
    """
    problem = problem_of("legacy-job", job)
    if problem:
        raise InputError(path + problem.removeprefix("$"))
    revision, reference = _commit(job, path, commit)
    names = tuple(dict.fromkeys(job.get("pkgnames") or ())) or (job["pkgbase"],)
    return JobSpec(
        pkgbase=job["pkgbase"],
        target_repo=job["target_repo"],
        source_repo=job["source_repo"],
        commit=revision,
        arch=job["arch"],
        build_class=_build_class(job.get("build_class")),
        pkgnames=names,
        depends=tuple(dict.fromkeys(_dependencies(job, path, {job["pkgbase"], *names}))),
        arch_mirror=job.get("arch_mirror") or "",
        commit_reference=reference,
        reason=reason,
    )


def _commit(job: Mapping[str, Any], path: str, default: str) -> tuple[str, str]:
    """Return the commit, and the reference for commit statuses."""
    commit, _, pipeline = (job.get("commit") or "").partition(":")
    if not commit and not default:
        raise InputError(f"{path}: it does not say which commit is to be built")
    if not commit:
        return default, default
    return commit, f"{commit}:{pipeline}" if pipeline else commit


def _dependencies(job: Mapping[str, Any], path: str, own: set[str]) -> Iterator[str]:
    for number, text in enumerate(job.get("dependencies") or ()):
        try:
            name = Relation.parse(text).name
        except InputError as error:
            raise InputError(f"{path}.dependencies[{number}]: {error.message}") from error
        if name not in own:
            yield name


def _build_class(value: float | str | None) -> str:
    if value is None or value == "":  # 0 is a class
        return DEFAULT_BUILD_CLASS
    return normalize_build_class(value if isinstance(value, str) else str(int(value)))


def name_of_legacy_job(job: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return what a job that may be of any form calls itself."""
    parts = [job.get(key) for key in ("target_repo", "arch", "pkgbase")] if _is_map(job) else []
    return "/".join(str(part)[:100] for part in parts if isinstance(part, str)) or "a nameless job"


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _request_id(jobs: list[JobSpec]) -> str:
    fields = [[getattr(job, name) for name in JobSpec.__slots__] for job in jobs]
    digest = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
    return f"import-{digest[:40]}"
