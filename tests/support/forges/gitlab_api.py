"""GitLab's answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.support.forges.server import TOKEN, Answer, Paged
from tests.support.forges.shapes import GITLAB

if TYPE_CHECKING:
    from tests.support.forges.model import Call, Forge, Person, Remark, Request

_STATES = {"open": "opened"}
_NOTEABLE = {"issue": "Issue", "request": "MergeRequest"}


class GitLabApi:
    """The API of one project, whose number is 7."""

    shapes = GITLAB

    def __init__(self, forge: Forge, url: str) -> None:
        self.forge = forge
        self.url = url

    def authorized(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {TOKEN}"

    def list_requests(self, call: Call, _project: str) -> Answer:
        state = call.query.get("state", "all")
        found = [
            self._shown(one)
            for one in reversed(self.forge.requests)
            if state in {"all", _STATES.get(one.state, one.state)}
            and call.query.get("source_branch", one.branch) == one.branch
            and call.query.get("target_branch", one.target) == one.target
        ]
        return 200, Paged(found)

    def create(self, call: Call, _project: str) -> Answer:
        branch = call.body["source_branch"]
        for one in self.forge.requests:
            if one.state == "open" and one.branch == branch and not one.is_of_fork:
                text = "Another open merge request already exists for this source branch: !"
                return 409, {"message": [f"{text}{one.number}"]}
        made = self.forge.add(
            branch,
            call.body["target_branch"],
            call.body["title"],
            call.body.get("description", ""),
            removes_branch=call.body.get("remove_source_branch", False),
        )
        return 201, self._shown(made)

    def update(self, call: Call, _project: str, number: str) -> Answer:
        one = self.forge.request(int(number))
        one.title = call.body.get("title", one.title)
        one.description = call.body.get("description", one.description)
        for label in call.body.get("add_labels", ()):
            self.forge.say(one.number, label, "bot")
        for label in call.body.get("remove_labels", ()):
            self.forge.unsay(one.number, label, "bot")
        names = {person.id: person.name for person in self.forge.people.values()}
        if "assignee_ids" in call.body:
            one.assignees = [names[it] for it in call.body["assignee_ids"]]
        if "reviewer_ids" in call.body:
            one.reviewers = [names[it] for it in call.body["reviewer_ids"]]
        if call.body.get("state_event") == "close":
            one.state = "closed"
        return 200, self._shown(one)

    def label_events(self, _call: Call, _project: str, number: str) -> Answer:
        events = self.forge.request(int(number)).events
        shown = [
            {
                "id": place,
                "user": self._user(self.forge.people[who]),
                "created_at": _time(time),
                "resource_type": "MergeRequest",
                "label": {"id": 1, "name": label},
                "action": "add" if is_added else "remove",
            }
            for place, (label, is_added, who, time) in enumerate(events)
        ]
        return 200, Paged(shown)

    def versions(self, _call: Call, _project: str, number: str) -> Answer:
        versions = self.forge.request(int(number)).versions
        shown = [
            {
                "id": place,
                "head_commit_sha": commit,
                "created_at": _time(time),
                "state": "collected",
            }
            for place, (commit, time) in enumerate(versions)
        ]
        return 200, Paged(shown[::-1])

    def comment(self, call: Call, _project: str, there: str, number: str) -> Answer:
        text, kind = call.body["body"], "issue" if there == "issues" else "request"
        if kind == "request" and int(number) <= len(self.forge.requests):
            self.forge.request(int(number)).comments.append(text)
        internal = call.body.get("internal", False)
        made = self.forge.remark(
            self.forge.owner, text, kind=kind, number=int(number), is_internal=internal
        )
        return 201, {"id": made.id, "body": text}

    def events(self, call: Call, _project: str) -> Answer:
        after = datetime.fromisoformat(f"{call.query.get('after', '2000-01-01')}T23:59:59+00:00")
        shown = [
            {
                "id": 500 + it.id,
                "action_name": "commented on",
                "target_type": "DiscussionNote" if it.id % 2 else "Note",
                "created_at": _time(it.time),
                "note": self._note(it),
            }
            for it in self.forge.remarks
            if it.time > after.timestamp()
        ]
        return 200, Paged(shown[::-1] if call.query["sort"] == "desc" else shown)

    def _note(self, remark: Remark) -> dict[str, Any]:
        person = self.forge.people.get(remark.who)
        return {
            "id": remark.id,
            "body": remark.text,
            "author": self._user(person) if person else None,
            "created_at": _time(remark.time),
            "updated_at": _time(remark.changed),
            "system": remark.is_system,
            "noteable_type": _NOTEABLE.get(remark.kind, remark.kind),
            "noteable_iid": remark.number,
            "internal": remark.is_internal,
        }

    def user(self, _call: Call) -> Answer:
        return 200, self._user(self.forge.people[self.forge.owner])

    def one_user(self, _call: Call, number: str) -> Answer:
        for person in self.forge.people.values():
            if person.id == int(number):
                return 200, {**self._user(person), "bot": person.is_bot}
        return 404, {"message": "404 User Not Found"}

    def labels(self, _call: Call, _project: str) -> Answer:
        return 200, Paged([{"id": 1, "name": name} for name in self.forge.labels])

    def create_label(self, call: Call, _project: str) -> Answer:
        if call.body["name"] in self.forge.labels:
            return 409, {"message": "Label already exists"}
        self.forge.labels[call.body["name"]] = call.body["description"]
        return 201, {"id": 1, **call.body}

    def member(self, _call: Call, _project: str, number: str) -> Answer:
        for person in self.forge.people.values():
            if person.id == int(number) and person.level:
                return 200, {**self._user(person), "access_level": person.level}
        return 404, {"message": "404 Not found"}

    def protected(self, _call: Call, _project: str) -> Answer:
        rules = [
            {"id": 1, "name": name, "merge_access_levels": levels}
            for name, levels in self.forge.protected.items()
        ]
        return 200, Paged(rules)

    def users(self, call: Call) -> Answer:
        person = self.forge.people.get(call.query["username"])
        return 200, Paged([self._user(person)] if person else [])

    def _user(self, person: Person) -> dict[str, Any]:
        return {"id": person.id, "username": person.name, "state": "active"}

    def _shown(self, one: Request) -> dict[str, Any]:
        return {
            "id": 1000 + one.number,
            "iid": one.number,
            "project_id": 7,
            "source_project_id": 8 if one.is_of_fork else 7,
            "target_project_id": 7,
            "title": one.title,
            "description": one.description,
            "state": _STATES.get(one.state, one.state),
            "source_branch": one.branch,
            "target_branch": one.target,
            "sha": one.commit,
            "labels": one.labels,
            "web_url": f"https://gitlab.example.org/g/p/-/merge_requests/{one.number}",
        }

    routes = (
        ("GET", r"/api/v4/projects/([^/]+)/merge_requests", list_requests),
        ("POST", r"/api/v4/projects/([^/]+)/merge_requests", create),
        ("PUT", r"/api/v4/projects/([^/]+)/merge_requests/(\d+)", update),
        (
            "GET",
            r"/api/v4/projects/([^/]+)/merge_requests/(\d+)/resource_label_events",
            label_events,
        ),
        ("GET", r"/api/v4/projects/([^/]+)/merge_requests/(\d+)/versions", versions),
        ("POST", r"/api/v4/projects/([^/]+)/(merge_requests|issues)/(\d+)/notes", comment),
        ("GET", r"/api/v4/projects/([^/]+)/events", events),
        ("GET", r"/api/v4/projects/([^/]+)/labels", labels),
        ("POST", r"/api/v4/projects/([^/]+)/labels", create_label),
        ("GET", r"/api/v4/projects/([^/]+)/members/all/(\d+)", member),
        ("GET", r"/api/v4/projects/([^/]+)/protected_branches", protected),
        ("GET", r"/api/v4/users", users),
        ("GET", r"/api/v4/users/(\d+)", one_user),
        ("GET", r"/api/v4/user", user),
    )


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
