"""A repository at GitHub, or at Forgejo and Gitea, whose API is the same in what is used here."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import requests

from caur_ci.forge_clients import Refusal, github_client
from scheduler.forges.errors import error_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from github.Repository import Repository

T = TypeVar("T")


class GitHubRepository:
    """The repository `repository` (`owner/name`) at the server whose API is at `api`.

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

    def call(self, ask: Callable[[Repository], T]) -> T:
        """Return what `ask` returns. Raises ForgeError."""
        from github import BadAttributeException, GithubException  # noqa: PLC0415

        unreadable = (BadAttributeException, AssertionError, AttributeError, TypeError, ValueError)
        try:
            return ask(self._repository)
        except GithubException as error:
            headers = {key.lower(): value for key, value in (error.headers or {}).items()}
            refusal = Refusal(error.status, _said(error.data), headers)
        except requests.RequestException as error:
            refusal = Refusal(0, type(error).__name__, {})
        except unreadable as error:
            refusal = Refusal(0, f"an answer that cannot be read: {type(error).__name__}", {})
        raise error_from(self.name, refusal, self._token)

    @cached_property
    def _repository(self) -> Repository:
        client = github_client(self._api, self._token, pauses=self._pauses)
        return client.get_repo(self._full_name)


def _said(data: object) -> str:
    """Return what a refusal says in words."""
    return str(data.get("message") or "") if isinstance(data, dict) else ""
