"""The pipeline templates that this version brings along."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from caur_ci.errors import InputError

# An installed caur-ci brings them along; a checkout has them at its top.
_INSTALLED = Path(__file__).with_name("templates")
_CHECKED_OUT = Path(__file__).parents[2] / "templates"


class Forge(StrEnum):
    """Where a repository lives, and its pipelines run."""

    GITLAB = "gitlab"
    GITHUB = "github"
    FORGEJO = "forgejo"
    NONE = "none"

    @property
    def pipeline_path(self) -> str:
        """Where the forge looks for the pipeline; empty where there is none."""
        return _PATHS.get(self, "")

    def template(self, *, serverless: bool = False) -> str:
        """Return the file among the templates; empty where there is none."""
        return _TEMPLATES.get((self, serverless), "")


# Those that have pipelines.
FORGES = (Forge.GITLAB, Forge.GITHUB, Forge.FORGEJO)
_PATHS = {
    Forge.GITLAB: ".gitlab-ci.yml",
    Forge.GITHUB: ".github/workflows/caur-ci.yml",
    Forge.FORGEJO: ".forgejo/workflows/caur-ci.yml",
}
_TEMPLATES = {
    (Forge.GITLAB, False): "gitlab-ci.yml",
    (Forge.GITLAB, True): "gitlab-ci-serverless.yml",
    (Forge.GITHUB, False): "github-workflow.yml",
    (Forge.GITHUB, True): "github-workflow-serverless.yml",
    (Forge.FORGEJO, False): "forgejo-workflow.yml",
    (Forge.FORGEJO, True): "forgejo-workflow-serverless.yml",
}


def is_serverless(pipeline: bytes) -> bool:
    """Tell whether a pipeline builds in its own job, without a queue elsewhere."""
    return b"caur-ci run" in pipeline


def pipeline_template(forge: Forge, *, serverless: bool = False) -> bytes:
    """Return the pipeline for a forge that has some. Raises InputError where none is installed."""
    name = forge.template(serverless=serverless)
    for folder in (_INSTALLED, _CHECKED_OUT):
        file = folder / name
        if file.is_file():
            return file.read_bytes()
    raise InputError(
        "the pipeline templates are not there",
        hint="Install caur-ci from a release, or run it in a checkout of its repository.",
    )
