"""What is remembered of a build besides how it ended: texts in the hash of its job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scheduler.job import Publication, PublishedFile, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.job import JobSpec
    from scheduler.queue.model import JobView

_FILE = ("name", "version", "filename", "size")
# Of a job with more files than that, the rest is in the repository only.
_MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class BuildNotes:
    """What is to be remembered of a build, as far as it is known.

    `usage` is what it took, `tree` the git tree of the folder that was built, `publication` what
    it brought into its repository.
    """

    usage: Usage | None = None
    tree: str = ""
    publication: Publication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """All that is kept of a job; `spec` is None where that cannot be read."""

    view: JobView
    spec: JobSpec | None
    request_id: str
    notes: BuildNotes


def encode_notes(notes: BuildNotes | None) -> str:
    """Return the notes as the scripts take them: a JSON object of texts, empty for none."""
    fields: dict[str, str] = {}
    usage = notes.usage if notes else None
    if usage and usage.peak_memory is not None:
        fields["peak_memory"] = str(usage.peak_memory)
    if usage and usage.cpu_seconds is not None:
        fields["cpu_seconds"] = f"{usage.cpu_seconds:.3f}"
    if notes and notes.tree:
        fields["tree"] = notes.tree
    if notes and notes.publication:
        files = notes.publication.files[:_MOST_FILES]
        fields["generation"] = str(notes.publication.generation)
        fields["files"] = json.dumps([[getattr(file, name) for name in _FILE] for file in files])
    return json.dumps(fields) if fields else ""


def notes_from(fields: Mapping[str, Any]) -> BuildNotes:
    """Return the notes in the hash of a job; what cannot be read there counts as unknown."""
    return BuildNotes(
        usage=usage_from(fields), tree=fields.get("tree") or "", publication=_publication(fields)
    )


def usage_from(fields: Mapping[str, Any]) -> Usage:
    """Return what a build took, likewise."""
    memory, seconds = _number(fields.get("peak_memory")), _number(fields.get("cpu_seconds"))
    return Usage(peak_memory=int(memory) if memory is not None else None, cpu_seconds=seconds)


def _publication(fields: Mapping[str, Any]) -> Publication | None:
    if not fields.get("files"):
        return None
    try:
        files = tuple(
            PublishedFile(name=str(name), version=str(version), filename=str(file), size=int(size))
            for name, version, file, size in json.loads(fields["files"])
        )
        return Publication(generation=int(fields.get("generation") or 0), files=files)
    except (ValueError, TypeError):  # somebody else has written it
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    # Neither infinite nor beyond what databases hold.
    return number if number is not None and 0 <= number < 2**62 else None
