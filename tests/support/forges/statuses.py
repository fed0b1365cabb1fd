"""What forges show of commits: GitLab's external statuses, and those of GitHub and Forgejo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.forges.github_api import GitHubApi
from tests.support.forges.gitlab_api import GitLabApi
from tests.support.forges.shapes import Shape

if TYPE_CHECKING:
    from tests.support.forges.model import Call, Forge
    from tests.support.forges.server import Answer

_ADDRESS = {"type": "string", "pattern": "^https?://", "maxLength": 255}
_FINAL = frozenset({"success", "failed", "canceled"})


@dataclass
class Status:
    """A status as it is now, and the states that it had."""

    commit: str
    name: str
    states: list[str] = field(default_factory=list)
    description: str = ""
    link: str = ""
    pipeline: int | None = None

    @property
    def state(self) -> str:
        return self.states[-1]


class GitLabStatusApi(GitLabApi):
    """A project that shows statuses. Commits in `unknown` are not there."""

    shapes = (  # type: ignore[assignment]
        Shape(
            "POST",
            r"/api/v4/projects/(?:\d+|[^/]+%2F[^/]+)/statuses/[0-9a-f]{40}",
            body={
                "state!": {
                    "enum": ["pending", "running", "success", "failed", "canceled", "skipped"]
                },
                "ref": {"type": "string"},
                "name": {"type": "string"},
                "context": {"type": "string"},
                "target_url": _ADDRESS,
                "description": {"type": "string", "maxLength": 255},
                "coverage": {"type": "number"},
                "pipeline_id": {"type": "integer"},
            },
        ),
    )

    def __init__(self, forge: Forge, url: str) -> None:
        super().__init__(forge, url)
        self.statuses: list[Status] = []
        self.unknown: set[str] = set()

    def set_status(self, call: Call, _project: str, commit: str) -> Answer:
        if commit in self.unknown:
            return 404, {"message": "404 Commit Not Found"}
        status = self._current(call, commit)
        before, after = (status.states or ["created"])[-1], call.body["state"]
        if after == before or (before, after) == ("running", "pending"):
            event = {"pending": "enqueue", "running": "run"}.get(after, after)
            said = f"Cannot transition status via :{event} from :{before} (Reason(s): Status)"
            return 400, {"message": said}
        status.states.append(after)
        status.description = call.body.get("description", "")
        status.link = call.body.get("target_url", "")
        status.pipeline = call.body.get("pipeline_id")
        shown = {
            "id": self.statuses.index(status) + 1,
            "sha": commit,
            "status": after,
            "name": status.name,
            "target_url": status.link or None,
            "description": status.description,
        }
        return 201, shown

    def _current(self, call: Call, commit: str) -> Status:
        """Return the status that has not ended, or a new one."""
        name = call.body.get("name") or call.body.get("context") or "default"
        for status in self.statuses:
            if (status.commit, status.name) == (commit, name) and status.state not in _FINAL:
                return status
        self.statuses.append(Status(commit, name))
        return self.statuses[-1]

    routes = (("POST", r"/api/v4/projects/([^/]+)/statuses/([0-9a-f]+)", set_status),)  # type: ignore[assignment]


class GitHubStatusApi(GitHubApi):
    """A repository that shows statuses; below `prefix` is its API."""

    prefix = "/api/v3"

    def __init__(self, forge: Forge, url: str) -> None:
        super().__init__(forge, url)
        self.url = f"{url}{self.prefix}"
        self.statuses: list[Status] = []
        self.unknown: set[str] = set()

    def set_status(self, call: Call, commit: str) -> Answer:
        if commit in self.unknown:
            return 422, {"message": f"No commit found for SHA: {commit}"}
        name = call.body.get("context", "default")
        for status in self.statuses:
            if (status.commit, status.name) == (commit, name):
                break
        else:
            status = Status(commit, name)
            self.statuses.append(status)
        status.states.append(call.body["state"])
        status.description = call.body.get("description", "")
        status.link = call.body.get("target_url", "")
        return 201, self._status(status)

    def _status(self, status: Status) -> dict[str, Any]:
        return {
            "id": 1,
            "url": f"{self.url}/repos/owner/name/statuses/{status.commit}",
            "state": status.state,
            "context": status.name,
            "description": status.description,
            "target_url": status.link,
        }

    shapes = (  # type: ignore[assignment]
        Shape(
            "POST",
            r"/api/v[13]/repos/[\w.-]+/[\w.-]+/statuses/[0-9a-f]{40}",
            body={
                "state!": {"enum": ["error", "failure", "pending", "success"]},
                "target_url": _ADDRESS,
                "description": {"type": "string", "maxLength": 140},
                "context": {"type": "string"},
            },
        ),
    )
    routes = (("POST", r"/api/v[13]/repos/owner/name/statuses/([0-9a-f]+)", set_status),)  # type: ignore[assignment]


class ForgejoStatusApi(GitHubStatusApi):
    """The same at Forgejo."""

    prefix = "/api/v1"
