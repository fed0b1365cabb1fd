"""Checks jobs and removals, and encodes them as they are stored.

What jobs and removals look like is said by JSON Schemas. Thousands of jobs at once are too many for
a validator: their fields are held to the patterns of the schema directly, and the validator only
says what is wrong with a job that does not fit.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from caur_ci.errors import InputError
from caur_ci.request import normalize_build_class, request_schema
from scheduler.job import GroupPublishing, JobSpec, OnFailure, OnOlder, Removal
from scheduler.schemas import problem_of, schema_of

MAX_SPEC_SIZE = 256 * 1024

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_LISTS = ("pkgnames", "provides", "depends", "shared_with")
_SCHEMA = "job"

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def check_request_id(request_id: str) -> str:
    """Return `request_id`, or raise InputError."""
    if not _REQUEST_ID.fullmatch(request_id):
        raise InputError(f"{request_id[:200]!r} cannot be the id of a request")
    return request_id


class JobEncoder:
    """Checks jobs and brings them into the form in which they are kept.

    One for a batch: most names come up many times in it.
    """

    def __init__(self) -> None:
        # With each rule what is known to keep to it.
        good: defaultdict[_Rule, set[object]] = defaultdict(set)
        self._rules = [(field, rule, good[rule]) for field, rule in _rules().items()]

    def __call__(self, job: JobSpec) -> str:
        """Return `job` as it is kept.

        Raises InputError saying what about it cannot be accepted.
        """
        document = job_document(job)
        if not self._fits(document):
            # A pattern of a schema lets one line break at the end go by.
            problem = problem_of(_SCHEMA, _plain(document)) or "a value ends with a line break"
            raise InputError(f"the job cannot be accepted: {problem}")
        text = _to_json(document)
        if len(text) > MAX_SPEC_SIZE:
            raise InputError(
                f"{job.pkgbase} says {len(text)} bytes about itself, {MAX_SPEC_SIZE} are allowed"
            )
        return text

    def _fits(self, document: dict[str, Any]) -> bool:
        for field, rule, good in self._rules:
            value = document[field]
            for entry in value if field in _LISTS else (value,):
                if entry not in good:
                    if not (isinstance(entry, str) and rule.allows(entry)):
                        return False
                    good.add(entry)
        return True


def encode_job(job: JobSpec) -> str:
    """Return the form in which `job` is kept, checked. Raises InputError."""
    return JobEncoder()(job)


def job_document(job: JobSpec) -> dict[str, Any]:
    """Return what the schema is about, with the build class in its one form."""
    return {
        "pkgbase": job.pkgbase,
        "target_repo": job.target_repo,
        "source_repo": job.source_repo,
        "commit": job.commit,
        "arch": job.arch,
        "build_class": normalize_build_class(job.build_class),
        "pkgnames": job.pkgnames,
        "provides": job.provides,
        "depends": job.depends,
        "arch_mirror": job.arch_mirror,
        "commit_reference": job.commit_reference,
        "reason": job.reason,
        "on_failure": job.on_failure,
        "on_older": job.on_older,
        "group": job.group,
        "publish": job.publish,
        "shared_with": job.shared_with,
    }


def decode_job(text: str | bytes) -> JobSpec:
    """Return the job that was kept as `text`."""
    data = cast("dict[str, Any]", json.loads(text))
    for field in _LISTS:
        data[field] = tuple(data.get(field, ()))
    data["on_failure"] = OnFailure(data["on_failure"])
    data["on_older"] = OnOlder(data.get("on_older", OnOlder.REFUSE))
    data["publish"] = GroupPublishing(data.get("publish", GroupPublishing.TOGETHER))
    return JobSpec(**data)


def encode_removal(removal: Removal) -> str:
    """Return the form in which `removal` is kept, checked. Raises InputError."""
    document = {
        "target_repo": removal.target_repo,
        "arch": removal.arch,
        "remove": removal.remove,
        "keep": removal.keep,
        "confirmed": removal.confirmed,
    }
    if bool(removal.remove) == bool(removal.keep):
        raise InputError("a removal names either what is to go or what is to stay")
    values = (removal.target_repo, removal.arch, *removal.remove, *removal.keep)
    problem = problem_of("removal", _plain(document))
    if not problem and any(value.endswith("\n") for value in values):
        problem = "a name ends with a line break"
    if problem:
        raise InputError(f"the removal cannot be accepted: {problem}")
    return _to_json(document)


def decode_removal(text: str | bytes) -> Removal:
    """Return the removal that was kept as `text`."""
    data = cast("dict[str, Any]", json.loads(text))
    return Removal(
        target_repo=data["target_repo"],
        arch=data["arch"],
        remove=tuple(data["remove"]),
        keep=tuple(data["keep"]),
        confirmed=data.get("confirmed", False),
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the schema says about one string."""

    pattern: re.Pattern[str] | None
    longest: int
    choices: tuple[str, ...] = ()

    def allows(self, text: str) -> bool:
        if self.choices:
            return text in self.choices
        return len(text) <= self.longest and (
            self.pattern is None or self.pattern.fullmatch(text) is not None
        )


@cache
def _rules() -> dict[str, _Rule]:
    """Return the rule for each field of a job, or for each entry of it, taken from the schema."""
    return {
        field: _rule_of(schema["items"] if field in _LISTS else schema)
        for field, schema in schema_of(_SCHEMA)["properties"].items()
    }


def _rule_of(schema: dict[str, Any]) -> _Rule:
    if reference := schema.get("$ref"):
        schema = request_schema()
        for step in reference.partition("#/")[2].split("/"):
            schema = schema[step]
    pattern = schema.get("pattern")
    return _Rule(
        re.compile(pattern) if pattern else None,
        schema.get("maxLength", MAX_SPEC_SIZE),
        tuple(schema.get("enum", ())),
    )


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as JSON would have it: validators know lists, not tuples."""
    return {
        field: list(value) if isinstance(value, tuple) else value
        for field, value in document.items()
    }
