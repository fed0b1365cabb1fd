"""What all steps of a run work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.git import GitRepository
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.repository import SharedRepository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.environment import Secrets

_DEFAULT_BRANCH = "refs/heads/main"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """The repository of a run, where it meets other runs, and the pipeline that it is part of.

    `head` is the commit that is checked out, `branch` the full ref name of the branch of the
    packages. `environ` is where the variables of the tunnel to Redis are looked up.
    """

    git: GitRepository
    shared: SharedRepository
    pipeline: ForgePipeline
    head: str
    branch: str
    environ: Mapping[str, str]
    secrets: Secrets

    @classmethod
    def open(
        cls, repo: Path, *, remote: str | None, environ: Mapping[str, str], secrets: Secrets
    ) -> Self:
        """Open the repository at `repo` for a run.

        `remote` None means `origin`, or the repository itself if it has none. `environ` holds the
        forge's variables, `secrets` the token to push with. Raises GitError where there is no
        repository, no commit in it, or no such remote.
        """
        git = GitRepository.open(repo)
        pipeline = ForgePipeline.from_environment(environ)
        return cls(
            git=git,
            shared=SharedRepository.open(
                git, remote=remote, credentials=pipeline.credentials(secrets)
            ),
            pipeline=pipeline,
            head=git.commit_id("HEAD"),
            branch=pipeline.branch or git.branch() or _DEFAULT_BRANCH,
            environ=environ,
            secrets=secrets,
        )
