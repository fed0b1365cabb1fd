"""Finds the client for what the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.forges.github import GitHubRepository
from scheduler.forges.gitlab import GitLabProject
from scheduler.settings.telling import ForgeKind

if TYPE_CHECKING:
    from scheduler.settings.telling import StatusNotifier


def project_of(notifier: StatusNotifier) -> GitLabProject | GitHubRepository:
    """Return the project that a notifier is about."""
    if notifier.forge is ForgeKind.GITLAB:
        return GitLabProject(notifier.server, notifier.project, notifier.token)
    if notifier.forge is ForgeKind.FORGEJO:
        api = f"{notifier.server}/api/v1"
        return GitHubRepository(api, notifier.project, notifier.token, name="Forgejo")
    is_public = notifier.server == "https://github.com"
    api = "https://api.github.com" if is_public else f"{notifier.server}/api/v3"
    return GitHubRepository(api, notifier.project, notifier.token)
