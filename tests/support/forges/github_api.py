"""GitHub's answers, as GitHub Enterprise gives them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.support.forges.model import FORK
from tests.support.forges.server import TOKEN, Answer, Paged
from tests.support.forges.shapes import GITHUB

if TYPE_CHECKING:
    from tests.support.forges.model import Call, Forge, Remark, Request

_REPOSITORY = "/api/v3/repos/owner/name"
_PERMISSIONS = {0: "none", 10: "read", 20: "read", 30: "write", 40: "write", 50: "admin"}


class GitHubApi:
    """The API for the repository `owner/name`."""

    shapes = GITHUB

    def __init__(self, forge: Forge, url: str) -> None:
        forge.closes_without_branch = True
        self.forge = forge
        self.url = f"{url}/api/v3"

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization", "").split() == ["token", TOKEN]

    def list_pulls(self, call: Call) -> Answer:
        state = call.query.get("state", "open")
        head = call.query.get("head", "")
        found = [
            self._shown(one)
            for one in reversed(self.forge.requests)
            if state in {"all", "open" if one.state == "open" else "closed"}
            and call.query.get("base", one.target) == one.target
            and head in {"", f"{FORK if one.is_of_fork else 'owner'}:{one.branch}"}
        ]
        return 200, Paged(found)

    def create(self, call: Call) -> Answer:
        branch = call.body["head"]
        for one in self.forge.requests:
            if one.state == "open" and one.branch == branch and not one.is_of_fork:
                text = f"A pull request already exists for owner:{branch}."
                return 422, {"message": "Validation Failed", "errors": [{"message": text}]}
        body = call.body
        made = self.forge.add(branch, body["base"], body["title"], body["body"])
        return 201, self._shown(made)

    def edit(self, call: Call, number: str) -> Answer:
        one = self.forge.request(int(number))
        one.title = call.body.get("title", one.title)
        one.description = call.body.get("body", one.description)
        if call.body.get("state") == "closed" and one.state == "open":
            one.state = "closed"
        return 200, self._shown(one)

    def reviewers(self, call: Call, number: str) -> Answer:
        one = self.forge.request(int(number))
        for name in call.body["reviewers"]:
            if name not in self.forge.people:
                text = "Reviews may only be requested from collaborators."
                return 422, {"message": text}
            one.reviewers.append(name)
        return 201, self._shown(one)

    def add_labels(self, call: Call, number: str) -> Answer:
        for label in call.body:
            self.forge.say(int(number), label, "bot")
        return 200, [{"name": label} for label in self.forge.request(int(number)).labels]

    def remove_label(self, _call: Call, number: str, label: str) -> Answer:
        one = self.forge.request(int(number))
        if unquote(label) not in one.labels:
            return 404, {"message": "Label does not exist"}
        self.forge.unsay(one.number, unquote(label), "bot")
        return 200, [{"name": label} for label in one.labels]

    def assign(self, call: Call, number: str) -> Answer:
        one = self.forge.request(int(number))
        one.assignees += [it for it in call.body["assignees"] if it in self.forge.people]
        users = [self._user(name) for name in one.assignees]
        url = f"{self.url}/repos/owner/name/issues/{number}"
        return 201, {"number": one.number, "url": url, "assignees": users}

    def comment(self, call: Call, number: str) -> Answer:
        text, kind = call.body["body"], "issue"
        if int(number) <= len(self.forge.requests):
            self.forge.request(int(number)).comments.append(text)
            kind = "request"
        made = self.forge.remark(self.forge.owner, text, kind=kind, number=int(number))
        return 201, {"id": made.id, "body": text}

    def comments(self, call: Call) -> Answer:
        since = datetime.fromisoformat(call.query.get("since", "2000-01-01T00:00:00Z"))
        found = [it for it in self.forge.remarks if it.changed >= since.timestamp()]
        ordered = found[::-1] if call.query.get("direction") == "desc" else found
        return 200, Paged([self._remark(it) for it in ordered if not it.is_system])

    def _remark(self, remark: Remark) -> dict[str, Any]:
        folder = "issues" if remark.kind == "issue" else "pull"
        page = f"https://github.example.org/owner/name/{folder}/{remark.number}"
        api = f"{self.url}/repos/owner/name/issues"
        return {
            "id": remark.id,
            "url": f"{api}/comments/{remark.id}",
            "issue_url": f"{api}/{remark.number}",
            "html_url": f"{page}#issuecomment-{remark.id}",
            "body": remark.text,
            "user": self._user(remark.who) if remark.who in self.forge.people else None,
            "created_at": _time(remark.time),
            "updated_at": _time(remark.changed),
        }

    def user(self, _call: Call) -> Answer:
        return 200, self._user(self.forge.owner)

    def events(self, _call: Call, number: str) -> Answer:
        one = self.forge.request(int(number))
        shown = [
            {
                "event": "labeled" if is_added else "unlabeled",
                "actor": self._user(who),
                "label": {"name": label, "color": "ffffff"},
                "created_at": _time(time),
            }
            for label, is_added, who, time in one.events
        ]
        shown += [
            {
                "event": "head_ref_force_pushed",
                "actor": self._user("bot"),
                "created_at": _time(time),
                "commit_id": commit,
            }
            for commit, time in one.versions[1:]
        ]
        shown.sort(key=lambda event: str(event["created_at"]))
        return 200, Paged([{"id": place, **event} for place, event in enumerate(shown)])

    def labels(self, _call: Call) -> Answer:
        return 200, Paged([{"name": name} for name in self.forge.labels])

    def create_label(self, call: Call) -> Answer:
        if call.body["name"] in self.forge.labels:
            return 422, {"message": "Validation Failed", "errors": [{"code": "already_exists"}]}
        self.forge.labels[call.body["name"]] = call.body["description"]
        return 201, {"id": 1, **call.body}

    def permission(self, _call: Call, name: str) -> Answer:
        person = self.forge.people.get(unquote(name))
        if person is None:
            return 404, {"message": f"{name} is not a user"}
        return 200, {"permission": _PERMISSIONS[person.level], "user": self._user(person.name)}

    def _user(self, name: str) -> dict[str, Any]:
        person = self.forge.people[name]
        return {"id": person.id, "login": name, "type": "Bot" if person.is_bot else "User"}

    def _shown(self, one: Request) -> dict[str, Any]:
        owner = FORK if one.is_of_fork else "owner"
        api = f"{self.url}/repos/owner/name"
        return {
            "id": 1000 + one.number,
            "number": one.number,
            "url": f"{api}/pulls/{one.number}",
            "issue_url": f"{api}/issues/{one.number}",
            "html_url": f"https://github.example.org/owner/name/pull/{one.number}",
            "state": "open" if one.state == "open" else "closed",
            "title": one.title,
            "body": one.description.replace("\n", "\r\n") or None,
            "labels": [{"name": label} for label in one.labels],
            "merged_at": _time(self.forge.now) if one.state == "merged" else None,
            "head": {
                "ref": one.branch,
                "sha": one.commit,
                "repo": {"full_name": f"{owner}/name"},
            },
            "base": {"ref": one.target, "sha": "0" * 40, "repo": {"full_name": "owner/name"}},
        }

    routes = (
        ("GET", f"{_REPOSITORY}/pulls", list_pulls),
        ("POST", f"{_REPOSITORY}/pulls", create),
        ("PATCH", rf"{_REPOSITORY}/pulls/(\d+)", edit),
        ("POST", rf"{_REPOSITORY}/pulls/(\d+)/requested_reviewers", reviewers),
        ("POST", rf"{_REPOSITORY}/issues/(\d+)/labels", add_labels),
        ("DELETE", rf"{_REPOSITORY}/issues/(\d+)/labels/([^/]+)", remove_label),
        ("POST", rf"{_REPOSITORY}/issues/(\d+)/assignees", assign),
        ("POST", rf"{_REPOSITORY}/issues/(\d+)/comments", comment),
        ("GET", rf"{_REPOSITORY}/issues/(\d+)/events", events),
        ("GET", f"{_REPOSITORY}/issues/comments", comments),
        ("GET", "/api/v3/user", user),
        ("GET", f"{_REPOSITORY}/labels", labels),
        ("POST", f"{_REPOSITORY}/labels", create_label),
        ("GET", rf"{_REPOSITORY}/collaborators/([^/]+)/permission", permission),
    )


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
