"""A project at GitLab, any server of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from caur_ci.forge_clients import Refusal, gitlab_client
from scheduler.forges.errors import error_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitlab.v4.objects import Project

T = TypeVar("T")


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
        return gitlab_client(self._server, self._token).projects.get(self._id, lazy=True)
