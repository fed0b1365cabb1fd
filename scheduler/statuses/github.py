"""Statuses at GitHub, and at Forgejo and Gitea."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.statuses.model import State

if TYPE_CHECKING:
    from github.CommitStatus import CommitStatus as GitHubStatus
    from github.Repository import Repository

    from scheduler.forges import GitHubRepository
    from scheduler.statuses.forge import CommitStatus

# None of them knows that something runs, or was canceled.
_STATES = {
    State.PENDING: "pending",
    State.RUNNING: "pending",
    State.SUCCESS: "success",
    State.FAILED: "failure",
    State.CANCELED: "error",
}
_LONGEST_DESCRIPTION = 140


class GitHubStatuses:
    """Those of a repository."""

    def __init__(self, repository: GitHubRepository) -> None:
        self._repository = repository

    def set_status(self, status: CommitStatus, *, before: State | None) -> None:  # noqa: ARG002
        """Show a status, whatever is shown so far. Raises DeliveryError."""
        from github import GithubObject  # noqa: PLC0415 - slow to import

        def ask(repository: Repository) -> GitHubStatus:
            return repository.get_commit(status.commit).create_status(
                _STATES[status.state],
                target_url=status.link or GithubObject.NotSet,
                description=status.description[:_LONGEST_DESCRIPTION],
                context=status.name,
            )

        self._repository.call(ask)
