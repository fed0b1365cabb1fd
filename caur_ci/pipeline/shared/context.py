"""What all steps of a run work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.git import GitRepository
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.refs import SharedRepository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.environment import Secrets
    from caur_ci.pipeline.shared.options import RunOptions

_DEFAULT_BRANCH = "refs/heads/main"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """The repository of a run, where it meets other runs, and the pipeline that it is part of.

    `head` is the commit that is checked out, `branch` the full ref name of the branch of the
    packages. `environ` is where the variables of the tunnel to Redis are looked up.
    """

    git: GitRepository
    shared: SharedRepository
    forge_pipeline: ForgePipeline
    head: str
    branch: str
    environ: Mapping[str, str]
    secrets: Secrets

    @classmethod
    def open(cls, options: RunOptions) -> Self:
        """Open the repository of a run.

        Raises GitError where there is none, no commit in it, or no such remote.
        """
        git = GitRepository.open(options.repo)
        pipeline = ForgePipeline.from_environment(options.environ)
        credentials = pipeline.credentials(options.secrets)
        return cls(
            git=git,
            shared=SharedRepository.open(git, remote=options.remote, credentials=credentials),
            forge_pipeline=pipeline,
            head=git.commit_id("HEAD"),
            branch=pipeline.branch or git.branch() or _DEFAULT_BRANCH,
            environ=options.environ,
            secrets=options.secrets,
        )
