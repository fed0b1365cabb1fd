"""What of the existing bash template is in a repository, and what takes its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.setup.pipelines import Forge, pipeline_template

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_SCRIPTS = re.compile(
    r"\.ci/(?:awk/[a-z-]+\.awk|util\.shlib|(?:create-pr|manage-aur|manual-[a-z]+|on-commit|"
    r"on-schedule|schedule-packages|update-template)\.sh)"
)
_WORKFLOWS = re.compile(r"\.github/workflows/chaotic-[a-z-]+\.ya?ml")
MARK = ".ci/on-commit.sh"
# The jobs of its pipeline for GitLab.
_JOBS = frozenset(
    {
        "on-commit",
        "on-schedule",
        "do-schedule",
        "spec",
        "stages",
        "variables",
        "workflow",
        "default",
        "manual-bump",
        "manual-drop",
        "manual-add",
        "manual-schedule",
        "include",
    }
)
_TOP = re.compile(r"^([A-Za-z][\w. -]*):", re.MULTILINE)


def is_there(paths: Collection[str]) -> bool:
    """Tell whether a repository with these files runs the existing template."""
    return MARK in paths


def superseded(paths: Collection[str]) -> list[str]:
    """Return the files of the template that have no use any more."""
    return sorted(it for it in paths if _SCRIPTS.fullmatch(it) or _WORKFLOWS.fullmatch(it))


def forge_of(paths: Collection[str]) -> Forge:
    """Return the forge whose pipeline is there."""
    if Forge.GITLAB.pipeline_path in paths:
        return Forge.GITLAB
    if any(path.startswith(".forgejo/workflows/") for path in paths):
        return Forge.FORGEJO
    is_github = any(path.startswith(".github/workflows/") for path in paths)
    return Forge.GITHUB if is_github else Forge.NONE


def other_jobs(pipeline: bytes) -> Iterator[str]:
    """Yield the jobs in a pipeline of GitLab that are no part of the template."""
    ours = {*_TOP.findall(pipeline_template(Forge.GITLAB).decode()), *_JOBS}
    yield from sorted(set(_TOP.findall(pipeline.decode("utf-8", "replace"))) - ours)
