"""What the variables of GitLab CI and GitHub Actions tell about the running pipeline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from caur_ci.git import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

_URL = re.compile(r"https?://[^\s@]{1,500}")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]{0,250}")
# An account of a bot may end in `[bot]`.
_PERSON = re.compile(r"[A-Za-z0-9_.-]{1,250}(?:\[bot\])?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgePipeline:
    """The pipeline that runs us; all empty on a laptop.

    `branch` is the full ref name of the branch that it runs for, `person` the account that it was
    started by, `project` the address of the project's pages.
    """

    forge: str = ""
    branch: str = ""
    commit: str = ""
    pipeline_id: str = ""
    url: str = ""
    person: str = ""
    project: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read GitLab's or GitHub's variables."""
        if environ.get("GITLAB_CI"):
            url = environ.get("CI_PIPELINE_URL", "")
            commit, pipeline = environ.get("CI_COMMIT_SHA", ""), environ.get("CI_PIPELINE_ID", "")
            branch = environ.get("CI_COMMIT_BRANCH") or environ.get("CI_DEFAULT_BRANCH", "")
            person = environ.get("GITLAB_USER_LOGIN", "")
            project = environ.get("CI_PROJECT_URL", "")
            return cls._checked(
                "gitlab", commit, pipeline, url, branch, person=person, project=project
            )
        if environ.get("GITHUB_ACTIONS"):
            commit, pipeline = environ.get("GITHUB_SHA", ""), environ.get("GITHUB_RUN_ID", "")
            place = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
            url = f"{place}/actions/runs/{pipeline}"
            of_tag = environ.get("GITHUB_REF_TYPE") == "tag"
            branch = "" if of_tag else environ.get("GITHUB_REF_NAME", "")
            person = environ.get("GITHUB_ACTOR", "")
            return cls._checked(
                "github", commit, pipeline, url, branch, person=person, project=place
            )
        return cls()

    @classmethod
    def _checked(
        cls,
        forge: str,
        commit: str,
        pipeline_id: str,
        url: str,
        branch: str,
        *,
        person: str,
        project: str,
    ) -> Self:
        return cls(
            forge=forge,
            commit=commit if _COMMIT.fullmatch(commit) else "",
            pipeline_id=pipeline_id if pipeline_id.isdecimal() else "",
            url=url if _URL.fullmatch(url) else "",
            branch=f"refs/heads/{branch}" if _BRANCH.fullmatch(branch) else "",
            person=person if _PERSON.fullmatch(person) else "",
            project=project if _URL.fullmatch(project) else "",
        )

    def history_page(self, folder: str) -> str:
        """Return the page with the commits to a folder, empty where none is known."""
        if not self.project or not self.branch:
            return ""
        below = "/-/commits" if self.forge == "gitlab" else "/commits"
        path = quote(f"{self.branch.removeprefix('refs/heads/')}/{folder}", safe="/+")
        return f"{self.project}{below}/{path}"

    def reference(self, head: str) -> str:
        """Return what commit statuses refer to: `SHA:PIPELINE`, or the plain SHA on a laptop."""
        commit = self.commit or head
        return f"{commit}:{self.pipeline_id}" if self.pipeline_id else commit

    def push_options(self) -> tuple[str, ...]:
        """Return the push options that keep our own pushes from starting pipelines."""
        return ("ci.skip",) if self.forge == "gitlab" else ()

    def credentials(self, secrets: Mapping[str, str]) -> Credentials | None:
        """Return what to push with: the repository owner's ACCESS_TOKEN, where it is set."""
        token = secrets.get("ACCESS_TOKEN", "")
        if not token:
            return None
        return Credentials("x-access-token" if self.forge == "github" else "oauth2", token)
