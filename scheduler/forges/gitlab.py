"""A project at GitLab, any server of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import requests

from scheduler.forges.errors import TIMEOUT, Refusal, error_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitlab.v4.objects import Project

T = TypeVar("T")


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


class GitLabProject:
    """A project, which goes by its number or its path, at the server `server`."""

    name = "GitLab"

    def __init__(self, server: str, project: str, token: str) -> None:
        self._server = server
        self._id = project
        self._token = token

    def call(self, ask: Callable[[Project], T]) -> T:
        """Return what `ask` returns. Raises ForgeError."""
        from gitlab.exceptions import GitlabError  # noqa: PLC0415 - slow to import

        try:
            return ask(self._project)
        except Refusal as refusal:
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
            per_page=100,
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
