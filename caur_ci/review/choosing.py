"""Which forge requests are opened at: the one whose pipeline runs us."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.review.forge import ReviewForge

_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?")
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PROJECT = re.compile(rf"[0-9]+|{_NAME}(?:/{_NAME})+")
_REPOSITORY = re.compile(rf"{_NAME}/[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class ForgeChoice:
    """The forge, or why there is none though a pipeline runs; neither on a laptop."""

    forge: ReviewForge | None = None
    problem: str = ""


def choose_forge(environ: Mapping[str, str], secrets: Mapping[str, str]) -> ForgeChoice:
    """Return the forge that the predefined variables of GitLab CI or GitHub Actions tell of.

    Nothing is asked of it yet. The token is ACCESS_TOKEN; at GitHub, GITHUB_TOKEN will do.
    """
    if environ.get("GITLAB_CI"):
        return _gitlab(environ, secrets.get("ACCESS_TOKEN", ""))
    if environ.get("FORGEJO_ACTIONS") or environ.get("GITEA_ACTIONS"):
        return ForgeChoice(problem="requests can be opened at GitLab and GitHub only")
    if environ.get("GITHUB_ACTIONS"):
        return _github(environ, secrets.get("ACCESS_TOKEN") or secrets.get("GITHUB_TOKEN", ""))
    return ForgeChoice()


def _gitlab(environ: Mapping[str, str], token: str) -> ForgeChoice:
    url = environ.get("CI_SERVER_URL", "")
    project = environ.get("CI_PROJECT_ID") or environ.get("CI_PROJECT_PATH", "")
    if not _URL.fullmatch(url) or not _PROJECT.fullmatch(project):
        return ForgeChoice(problem="CI_SERVER_URL and CI_PROJECT_ID do not name a project")
    if not token:
        return ForgeChoice(
            problem="no merge request can be opened: set ACCESS_TOKEN to a token of the project "
            "with the scope api and the role Developer"
        )
    from caur_ci.review.gitlab import GitLabForge  # noqa: PLC0415 - slow to import

    page = environ.get("CI_PROJECT_URL", "")
    page = page if _URL.fullmatch(page) else ""
    return ForgeChoice(GitLabForge(url, project, token, page=page))


def _github(environ: Mapping[str, str], token: str) -> ForgeChoice:
    api = environ.get("GITHUB_API_URL", "https://api.github.com")
    repository = environ.get("GITHUB_REPOSITORY", "")
    if not _URL.fullmatch(api) or not _REPOSITORY.fullmatch(repository):
        return ForgeChoice(problem="GITHUB_API_URL and GITHUB_REPOSITORY do not name a repository")
    if not token:
        return ForgeChoice(
            problem="no pull request can be opened: give the step GITHUB_TOKEN, and the job the "
            "permissions `pull-requests: write` and `issues: write`"
        )
    from caur_ci.review.github import GitHubForge  # noqa: PLC0415 - slow to import

    server = environ.get("GITHUB_SERVER_URL", "")
    page = f"{server}/{repository}" if _URL.fullmatch(server) else ""
    return ForgeChoice(GitHubForge(api, repository, token, page=page))
