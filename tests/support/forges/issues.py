"""Issues at GitLab, and at GitHub and Forgejo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.forges.github_api import GitHubApi
from tests.support.forges.gitlab_api import GitLabApi
from tests.support.forges.server import Paged
from tests.support.forges.shapes import Shape

if TYPE_CHECKING:
    from tests.support.forges.model import Call, Forge
    from tests.support.forges.server import Answer

_PAGE = {"page": r"[1-9]\d*", "per_page": r"[1-9]\d?|100"}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 65_536}
_LAB = r"/api/v4/projects/(?:\d+|[^/]+%2F[^/]+)/issues"
_HUB = r"/api/v[13]/repos/owner/name/issues"


@dataclass
class Issue:
    """An issue as it is now, and what was said to it."""

    number: int
    title: str
    body: str
    labels: list[str] = field(default_factory=list)
    is_open: bool = True
    is_pull_request: bool = False
    comments: list[str] = field(default_factory=list)


class Issues:
    """The issues of one project."""

    def __init__(self) -> None:
        self.all: list[Issue] = []

    def add(self, title: str, body: str = "-", labels: list[str] | None = None) -> Issue:
        self.all.append(Issue(len(self.all) + 1, title, body, labels or []))
        return self.all[-1]

    def get(self, number: str) -> Issue:
        return self.all[int(number) - 1]


class GitLabIssueApi(GitLabApi):
    """A project with issues."""

    shapes = (  # type: ignore[assignment]
        Shape(
            "GET",
            _LAB,
            {**_PAGE, "state": "opened|closed|all", "search": ".+", "in": "title|description"},
        ),
        Shape(
            "POST",
            _LAB,
            body={
                "title!": _TEXT,
                "description": _TEXT,
                "labels": {"type": "array", "items": {"type": "string"}},
            },
        ),
        Shape(
            "PUT",
            rf"{_LAB}/\d+",
            body={"description": _TEXT, "state_event": {"enum": ["close", "reopen"]}},
        ),
        Shape("POST", rf"{_LAB}/\d+/notes", body={"body!": _TEXT}),
    )

    def __init__(self, forge: Forge, url: str) -> None:
        super().__init__(forge, url)
        self.issues = Issues()

    def list_issues(self, call: Call, _project: str) -> Answer:
        words = call.query["search"].lower()
        found = [it for it in self.issues.all if it.is_open and words in it.title.lower()]
        return 200, Paged([self._issue(it) for it in reversed(found)])

    def create_issue(self, call: Call, _project: str) -> Answer:
        body = call.body
        made = self.issues.add(body["title"], body["description"], body["labels"])
        return 201, self._issue(made)

    def update_issue(self, call: Call, _project: str, number: str) -> Answer:
        issue = self.issues.get(number)
        issue.body = call.body.get("description", issue.body)
        event = call.body.get("state_event")
        issue.is_open = issue.is_open if event is None else event == "reopen"
        return 200, self._issue(issue)

    def say(self, call: Call, _project: str, number: str) -> Answer:
        self.issues.get(number).comments.append(call.body["body"])
        return 201, {"id": 1, "body": call.body["body"]}

    def _issue(self, issue: Issue) -> dict[str, Any]:
        state = "opened" if issue.is_open else "closed"
        return {"id": 100, "iid": issue.number, "title": issue.title, "state": state}

    routes = (  # type: ignore[assignment]
        ("GET", r"/api/v4/projects/([^/]+)/issues", list_issues),
        ("POST", r"/api/v4/projects/([^/]+)/issues", create_issue),
        ("PUT", r"/api/v4/projects/([^/]+)/issues/(\d+)", update_issue),
        ("POST", r"/api/v4/projects/([^/]+)/issues/(\d+)/notes", say),
    )


class GitHubIssueApi(GitHubApi):
    """A repository with issues; below `prefix` is its API."""

    prefix = "/api/v3"
    shapes = (  # type: ignore[assignment]
        Shape("GET", _HUB, {**_PAGE, "state": "open|closed|all"}),
        Shape(
            "POST",
            _HUB,
            body={
                "title!": _TEXT,
                "body": _TEXT,
                "labels": {"type": "array", "items": {"type": "string"}},
            },
        ),
        Shape("PATCH", rf"{_HUB}/\d+", body={"body": _TEXT, "state": {"enum": ["open", "closed"]}}),
        Shape("POST", rf"{_HUB}/\d+/comments", body={"body!": _TEXT}),
    )

    def __init__(self, forge: Forge, url: str) -> None:
        super().__init__(forge, url)
        self.url = f"{url}{self.prefix}"
        self.issues = Issues()

    def list_issues(self, _call: Call) -> Answer:
        return 200, Paged([self._issue(it) for it in reversed(self.issues.all) if it.is_open])

    def create_issue(self, call: Call) -> Answer:
        made = self.issues.add(call.body["title"], call.body["body"], call.body.get("labels"))
        return 201, self._issue(made)

    def edit_issue(self, call: Call, number: str) -> Answer:
        issue = self.issues.get(number)
        issue.body = call.body.get("body", issue.body)
        if "state" in call.body:
            issue.is_open = call.body["state"] == "open"
        return 200, self._issue(issue)

    def say(self, call: Call, number: str) -> Answer:
        self.issues.get(number).comments.append(call.body["body"])
        return 201, {"id": 1, "body": call.body["body"]}

    def _issue(self, issue: Issue) -> dict[str, Any]:
        kind = "pull" if issue.is_pull_request else "issues"
        shown = {
            "id": 100 + issue.number,
            "html_url": f"https://example.org/owner/name/{kind}/{issue.number}",
            "number": issue.number,
            "url": f"{self.url}/repos/owner/name/issues/{issue.number}",
            "title": issue.title,
            "state": "open" if issue.is_open else "closed",
        }
        return {**shown, "pull_request": {"url": "x"}} if issue.is_pull_request else shown

    routes = (  # type: ignore[assignment]
        ("GET", _HUB, list_issues),
        ("POST", _HUB, create_issue),
        ("PATCH", rf"{_HUB}/(\d+)", edit_issue),
        ("POST", rf"{_HUB}/(\d+)/comments", say),
    )


class ForgejoIssueApi(GitHubIssueApi):
    """The same at Forgejo, where labels go by numbers."""

    prefix = "/api/v1"
