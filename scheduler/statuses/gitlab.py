"""External statuses at GitLab, any server of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests

from scheduler.statuses.forge import TIMEOUT, Refusal, error_from
from scheduler.statuses.model import HANDED_BACK, State

if TYPE_CHECKING:
    from gitlab.v4.objects import Project

    from scheduler.statuses.forge import CommitStatus

# The status is there already, or the pipeline has moved on by itself.
_NO_TRANSITION = "cannot transition status"


class _Session(requests.Session):
    """Turns refusals into `Refusal`, before the library waits for as long as the server likes."""

    def send(
        self,
        request: requests.PreparedRequest,
        **settings: Any,  # noqa: ANN401 - whatever requests gives itself
    ) -> requests.Response:
        try:
            response = super().send(request, **settings)
        except requests.RequestException as error:
            raise Refusal(0, type(error).__name__, {}) from None
        if response.status_code >= 400:
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise Refusal(response.status_code, _said(response), headers)
        return response


class GitLabStatuses:
    """Those of a project, which goes by its number or its path."""

    name = "GitLab"

    def __init__(self, server: str, project: str, token: str) -> None:
        self._server = server
        self._id = project
        self._token = token

    def set_status(self, status: CommitStatus, *, before: State | None) -> None:
        """Show a status; `before` is what is shown of the same job so far.

        Raises DeliveryError.
        """
        if before is State.RUNNING and status.state is State.PENDING:
            # GitLab lets no running one wait again; a new one takes the place of one that ended.
            self._set(status, *HANDED_BACK)
        self._set(status, status.state, status.description)

    def _set(self, status: CommitStatus, state: State, description: str) -> None:
        from gitlab.exceptions import GitlabError  # noqa: PLC0415 - slow to import

        data: dict[str, Any] = {
            "state": str(state),
            "context": status.name,
            "description": description,
        }
        if status.link:
            data["target_url"] = status.link
        if status.pipeline:
            data["pipeline_id"] = int(status.pipeline)
        commit = self._project.commits.get(status.commit, lazy=True)
        try:
            commit.statuses.create(data)
        except Refusal as refusal:
            if refusal.status == 400 and _NO_TRANSITION in refusal.said.lower():
                return
            raise error_from(self.name, refusal, self._token) from None
        except (GitlabError, AttributeError, KeyError, TypeError, ValueError) as error:
            unreadable = Refusal(0, f"an answer that cannot be read: {type(error).__name__}", {})
            raise error_from(self.name, unreadable, self._token) from None

    @cached_property
    def _project(self) -> Project:
        from gitlab import Gitlab  # noqa: PLC0415 - slow to import

        client = Gitlab(
            self._server,
            # As a bearer, which is not sent on to another host by a redirection.
            oauth_token=self._token,
            timeout=TIMEOUT,
            keep_base_url=True,
            session=_Session(),
        )
        return client.projects.get(self._id, lazy=True)


def _said(response: requests.Response) -> str:
    """Return what a refusal says in words."""
    try:
        data = response.json()
    except ValueError:
        return response.reason or ""
    if not isinstance(data, dict):
        return response.reason or ""
    return str(data.get("message") or data.get("error") or response.reason or "")
