"""What is on hold, for commands that have to know before they act."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from caur_ci.cli.working_tree import working_root
from caur_ci.config import RepositoryConfig
from caur_ci.errors import GitError
from caur_ci.git import GitRepository
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.holds import Holds
from caur_ci.pipeline.shared.refs import SharedRepository

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.cli.session import Session


def memory_at(session: Session, repo: Path, remote: str | None) -> Memory | None:
    """Return what is on branch `caur`; None outside of a repository.

    Raises GitError and InputError where it cannot be read, TemporaryError where the remote is out
    of reach.
    """
    try:
        git = GitRepository.open(repo)
    except GitError:
        return None
    credentials = ForgePipeline.from_environment(os.environ).credentials(session.secrets)
    shared = SharedRepository.open(git, remote=remote, credentials=credentials)
    return shared.memory(shared.snapshot())


def current_holds(session: Session, repo: Path, remote: str | None) -> Holds:
    """Return what is on hold, in a working tree with a `.ci/config`; elsewhere nothing is.

    Raises as `memory_at` does.
    """
    root = working_root(repo)
    if root is None or not (root / RepositoryConfig.FILE).is_file():
        return Holds()
    memory = memory_at(session, repo, remote)
    return memory.holds if memory else Holds()
