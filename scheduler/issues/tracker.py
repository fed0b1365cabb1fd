"""The issues of a project, whatever forge it is at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from scheduler.forges import GitLabProject, project_of
from scheduler.settings.telling import ForgeKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from github.Repository import Repository
    from gitlab.v4.objects import Project

    from scheduler.forges import GitHubRepository
    from scheduler.settings.telling import StatusNotifier

# Of the open issues that are looked through for requests.
_MOST_LOOKED_AT = 500
# Their field `pull_request` is asked for once more where it is not there.
_OF_PULL_REQUEST = re.compile(r"/pulls?/[0-9]+$")


class Tracker(Protocol):
    """Where issues are. Every method raises DeliveryError."""

    def open_issues(self, words: str) -> Mapping[int, str]:
        """Return the titles of open issues by number: of those with the words in it at least."""
        ...

    def create(self, title: str, body: str, label: str) -> int:
        """Open an issue, and return its number."""
        ...

    def update(self, number: int, body: str, *, reopen: bool) -> None:
        """Give an issue another text, and open it again where that is wanted."""
        ...

    def close(self, number: int, comment: str) -> None:
        """Close an issue, and say why."""
        ...


class GitLabTracker:
    """Those of a project at GitLab."""

    def __init__(self, project: GitLabProject) -> None:
        self._project = project

    def open_issues(self, words: str) -> Mapping[int, str]:
        """Return the titles of open issues by number: of those with the words in it at least."""
        query = {"state": "opened", "search": words, "in": "title"}

        def ask(project: Project) -> dict[int, str]:
            found = project.issues.list(iterator=True, query_parameters=query)
            return {
                int(one.attributes["iid"]): str(one.attributes["title"])
                for one, _ in zip(found, range(_MOST_LOOKED_AT), strict=False)
            }

        return self._project.call(ask)

    def create(self, title: str, body: str, label: str) -> int:
        """Open an issue, and return its number."""
        data = {"title": title, "description": body, "labels": [label]}
        return self._project.call(
            lambda project: int(project.issues.create(data).attributes["iid"])
        )

    def update(self, number: int, body: str, *, reopen: bool) -> None:
        """Give an issue another text, and open it again where that is wanted."""
        data = {"description": body} | ({"state_event": "reopen"} if reopen else {})
        self._project.call(lambda project: project.issues.update(number, data))

    def close(self, number: int, comment: str) -> None:
        """Close an issue, and say why."""

        def ask(project: Project) -> None:
            project.issues.update(number, {"state_event": "close"})
            project.issues.get(number, lazy=True).notes.create({"body": comment})

        self._project.call(ask)


class GitHubTracker:
    """Those of a repository at GitHub or Forgejo. `knows_labels`: issues are born with labels."""

    def __init__(self, repository: GitHubRepository, *, knows_labels: bool = True) -> None:
        self._repository = repository
        self._knows_labels = knows_labels

    def open_issues(self, words: str) -> Mapping[int, str]:
        """Return the titles of open issues by number: of those with the words in it at least."""

        def ask(repository: Repository) -> dict[int, str]:
            found = repository.get_issues(state="open")
            return {
                one.number: one.title
                for one, _ in zip(found, range(_MOST_LOOKED_AT), strict=False)
                if not _OF_PULL_REQUEST.search(one.html_url) and words.lower() in one.title.lower()
            }

        return self._repository.call(ask)

    def create(self, title: str, body: str, label: str) -> int:
        """Open an issue, and return its number."""
        labels = [label] if self._knows_labels else []
        return self._repository.call(
            lambda repository: repository.create_issue(title, body=body, labels=labels).number
        )

    def update(self, number: int, body: str, *, reopen: bool) -> None:
        """Give an issue another text, and open it again where that is wanted."""

        def ask(repository: Repository) -> None:
            issue = repository.get_issue(number)
            if reopen:
                issue.edit(body=body, state="open")
            else:
                issue.edit(body=body)

        self._repository.call(ask)

    def close(self, number: int, comment: str) -> None:
        """Close an issue, and say why."""

        def ask(repository: Repository) -> None:
            issue = repository.get_issue(number)
            issue.edit(state="closed")
            issue.create_comment(comment)

        self._repository.call(ask)


def tracker_of(notifier: StatusNotifier) -> Tracker:
    """Return the issues of the project that a notifier is about."""
    project = project_of(notifier)
    if isinstance(project, GitLabProject):
        return GitLabTracker(project)
    return GitHubTracker(project, knows_labels=notifier.forge is ForgeKind.GITHUB)
