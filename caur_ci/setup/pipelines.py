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
    NONE = "none"

    @property
    def pipeline_path(self) -> str:
        """Where the forge looks for the pipeline; empty where there is none."""
        return _PATHS.get(self, "")

    @property
    def template(self) -> str:
        """The file among the templates; empty where there is none."""
        return _TEMPLATES.get(self, "")


_PATHS = {Forge.GITLAB: ".gitlab-ci.yml", Forge.GITHUB: ".github/workflows/caur-ci.yml"}
_TEMPLATES = {Forge.GITLAB: "gitlab-ci.yml", Forge.GITHUB: "github-workflow.yml"}


def pipeline_template(forge: Forge) -> bytes:
    """Return the pipeline for a forge. Raises InputError where this installation has none."""
    for folder in (_INSTALLED, _CHECKED_OUT):
        file = folder / forge.template
        if file.is_file():
            return file.read_bytes()
    raise InputError(
        "the pipeline templates are not there",
        hint="Install caur-ci from a release, or run it in a checkout of its repository.",
    )
