"""External statuses at GitLab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.forges import ForgeError
from scheduler.statuses.model import HANDED_BACK, State

if TYPE_CHECKING:
    from scheduler.forges import GitLabProject
    from scheduler.statuses.forge import CommitStatus

# The status is there already, or the pipeline has moved on by itself.
_NO_TRANSITION = "cannot transition status"


class GitLabStatuses:
    """Those of a project."""

    def __init__(self, project: GitLabProject) -> None:
        self._project = project

    def set_status(self, status: CommitStatus, *, before: State | None) -> None:
        """Show a status; `before` is what is shown of the same job so far.

        Raises DeliveryError.
        """
        if before is State.RUNNING and status.state is State.PENDING:
            # GitLab lets no running one wait again; a new one takes the place of one that ended.
            self._set(status, *HANDED_BACK)
        self._set(status, status.state, status.description)

    def _set(self, status: CommitStatus, state: State, description: str) -> None:
        data: dict[str, Any] = {
            "state": str(state),
            "context": status.name,
            "description": description,
        }
        if status.link:
            data["target_url"] = status.link
        if status.pipeline:
            data["pipeline_id"] = int(status.pipeline)
        try:
            self._project.call(
                lambda project: project.commits.get(status.commit, lazy=True).statuses.create(data)
            )
        except ForgeError as error:
            if error.status != 400 or _NO_TRANSITION not in error.said.lower():
                raise
