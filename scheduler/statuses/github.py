"""Statuses at GitHub, and at Forgejo and Gitea, whose API is the same in this."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import requests

from scheduler.statuses.forge import TIMEOUT, Refusal, error_from
from scheduler.statuses.model import State

if TYPE_CHECKING:
    from github.Repository import Repository

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
    """Those of the repository `repository` (`owner/name`) at the server whose API is at `api`.

    `pauses` are the seconds between any two calls and between two that change something, which
    GitHub asks for. `name` is that of the forge.
    """

    def __init__(
        self,
        api: str,
        repository: str,
        token: str,
        *,
        name: str = "GitHub",
        pauses: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.name = name
        self._api = api
        self._full_name = repository
        self._token = token
        self._pauses = pauses

    def set_status(self, status: CommitStatus, *, before: State | None) -> None:  # noqa: ARG002
        """Show a status, whatever is shown so far. Raises DeliveryError."""
        from github import BadAttributeException, GithubException, GithubObject  # noqa: PLC0415

        unreadable = (BadAttributeException, AssertionError, AttributeError, TypeError, ValueError)
        try:
            self._repository.get_commit(status.commit).create_status(
                _STATES[status.state],
                target_url=status.link or GithubObject.NotSet,
                description=status.description[:_LONGEST_DESCRIPTION],
                context=status.name,
            )
        except GithubException as error:
            headers = {key.lower(): value for key, value in (error.headers or {}).items()}
            refusal = Refusal(error.status, _said(error.data), headers)
        except requests.RequestException as error:
            refusal = Refusal(0, type(error).__name__, {})
        except unreadable as error:
            refusal = Refusal(0, f"an answer that cannot be read: {type(error).__name__}", {})
        else:
            return
        raise error_from(self.name, refusal, self._token)

    @cached_property
    def _repository(self) -> Repository:
        from github import Auth, Github  # noqa: PLC0415 - slow to import

        calls, writes = self._pauses
        client = Github(
            base_url=self._api,
            auth=Auth.Token(self._token),
            timeout=TIMEOUT,
            retry=None,
            lazy=True,
            seconds_between_requests=calls,
            seconds_between_writes=writes,
        )
        return client.get_repo(self._full_name)


def _said(data: object) -> str:
    """Return what a refusal says in words."""
    return str(data.get("message") or "") if isinstance(data, dict) else ""
