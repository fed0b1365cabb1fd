"""Merge requests at GitLab, any server of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote

from caur_ci.forge_clients import Refusal, gitlab_client
from caur_ci.review.comments import MOST_READ, Comment, Comments, Place, PlaceKind
from caur_ci.review.forge import (
    Account,
    ForgeError,
    ForgeRequest,
    LabelEvent,
    RequestHistory,
    RequestState,
)
from caur_ci.review.gitlab_notes import comments_of, is_token, seconds
from caur_ci.review.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gitlab import Gitlab
    from gitlab.v4.objects import Project

    from caur_ci.review.forge import Proposal

T = TypeVar("T")

_DEVELOPER, _MAINTAINER = 30, 40
_STATES = {"opened": RequestState.OPEN, "merged": RequestState.MERGED}
_COLOUR = "#6699cc"


class GitLabForge:
    """A project at the server `url`; `project` is its number or its path."""

    name = "GitLab"

    def __init__(
        self,
        url: str,
        project: str,
        token: str,
        *,
        page: str = "",
        patience: Patience | None = None,
    ) -> None:
        self._url = url
        self._id = project
        self._token = token
        self._page = page
        self._patience = patience or Patience(self.name, token)
        self._may_merge: dict[tuple[int, str], bool] = {}
        self._not_obeyed: dict[int, str] = {}

    def open_requests(self, target: str) -> Sequence[ForgeRequest]:
        """Return all open requests into the branch `target`, from branches of this project."""
        found = self._list_requests("merge requests cannot be listed", "opened", target)
        return [_read(one) for one in found]

    def latest(self, branch: str, target: str) -> ForgeRequest | None:
        """Return the newest request from `branch` into `target`, whatever its state."""
        what = f"the merge requests of {branch} cannot be listed"
        found = self._list_requests(what, "all", target, source_branch=branch)
        newest = max(found, key=lambda one: int(one["iid"]), default=None)
        return _read(newest) if newest else None

    def history(self, request: ForgeRequest) -> RequestHistory:
        """Return what happened to a request."""
        what = f"the history of !{request.number} cannot be read"
        one = self._project.mergerequests.get(request.number, lazy=True)
        events = self._call(what, lambda: one.resourcelabelevents.list(get_all=True))
        versions = self._call(what, lambda: one.diffs.list(get_all=True))
        newest = max((it.attributes for it in versions), key=lambda it: int(it["id"]), default=None)
        since = None
        if newest and newest["head_commit_sha"] == request.commit:
            since = seconds(newest["created_at"])
        labels = sorted((it.attributes for it in events), key=lambda it: int(it["id"]))
        return RequestHistory(since, tuple(_label_events(labels)))

    def may_merge(self, account: Account, target: str) -> bool:
        """Tell whether the forge lets this account merge into the branch `target`."""
        key = (account.id, target)
        if key not in self._may_merge:
            level = self._level_of(account)
            rules = self._rules_of(target)
            self._may_merge[key] = any(_allows(rule, account, level) for rule in rules)
        return self._may_merge[key]

    def create(self, proposal: Proposal) -> ForgeRequest:
        """Open a request for a branch that exists, without labels and people."""
        data = {
            "source_branch": proposal.branch,
            "target_branch": proposal.target,
            "title": proposal.title,
            "description": proposal.description,
            "remove_source_branch": True,
        }
        return self._call(
            f"no merge request can be opened for {proposal.branch}",
            lambda: _read(self._project.mergerequests.create(data).attributes),
            repeatable=False,
        )

    def rewrite(self, request: ForgeRequest, proposal: Proposal, *, drop: Sequence[str]) -> None:
        """Give an open request another title and description, and take the labels in `drop` off."""
        data: dict[str, Any] = {"title": proposal.title, "description": proposal.description}
        if drop:
            data["remove_labels"] = list(drop)
        self._change(request, data, "cannot be brought up to date")

    def complete(self, request: ForgeRequest, proposal: Proposal) -> Sequence[str]:
        """Ask people to look at a request, and label it; return those whom GitLab does not know."""
        names = dict.fromkeys((*proposal.assignees, *proposal.reviewers))
        ids = {name: self._user_id(name) for name in names}
        data: dict[str, Any] = {"add_labels": list(proposal.labels)}
        for key, people in (
            ("assignee_ids", proposal.assignees),
            ("reviewer_ids", proposal.reviewers),
        ):
            if known := [ids[name] for name in people if ids[name]]:
                data[key] = known
        self._change(request, data, "cannot be labelled")
        return [name for name in names if not ids[name]]

    def close(self, request: ForgeRequest, comment: str) -> None:
        """Close a request, and say why."""
        self._change(request, {"state_event": "close"}, "cannot be closed")
        one = self._project.mergerequests.get(request.number, lazy=True)
        what = f"!{request.number} is closed, and cannot be commented on"
        self._call(what, lambda: one.notes.create({"body": comment}), repeatable=False)

    def provide_labels(self, labels: Sequence[tuple[str, str]]) -> None:
        """See that labels exist, each with a sentence on what it means."""
        what = "the labels cannot be made"
        found = self._call(what, lambda: self._project.labels.list(get_all=True))
        there = {str(label.attributes["name"]) for label in found}
        for name, meaning in labels:
            if name not in there:
                data = {"name": name, "color": _COLOUR, "description": meaning}
                self._call(what, partial(self._project.labels.create, data))

    def comparison(self, branch: str, target: str) -> str:
        """Return the address of the page that shows what a branch changes, or nothing."""
        between = f"{quote(target, safe='/')}...{quote(branch, safe='/')}"
        return f"{self._page}/-/compare/{between}" if self._page else ""

    def latest_comment(self) -> int:
        """Return when the newest comment was made, in Unix seconds; 0 where there is none."""
        events = self._events_after(0)
        times = self._call(
            "comments cannot be listed",
            lambda: [seconds(it["created_at"]) for it in islice(events, 1)],
        )
        return times[0] if times else 0

    def comments_since(self, time: int) -> Comments:
        """Return the comments that were made after `time`, in Unix seconds."""

        def ask() -> Comments:
            found: list[Comment] = []
            for number, event in enumerate(self._events_after(time)):
                is_older = seconds(event["created_at"]) <= time
                if is_older or number == MOST_READ:
                    return Comments(tuple(reversed(found)), is_complete=is_older)
                found += comments_of(event, self._page)
            return Comments(tuple(reversed(found)))

        return self._call("comments cannot be listed", ask)

    def why_not_obeyed(self, account: Account) -> str:
        """Return why nothing is done for an account; empty for one that may push."""
        if account.id not in self._not_obeyed:
            self._not_obeyed[account.id] = self._why_not(account)
        return self._not_obeyed[account.id]

    def answer(self, place: Place, text: str) -> None:
        """Comment on an issue or a request."""
        project = self._project
        there = project.issues if place.kind is PlaceKind.ISSUE else project.mergerequests
        sign = "#" if place.kind is PlaceKind.ISSUE else "!"
        notes = there.get(place.number, lazy=True).notes
        data = {"body": text, **({"internal": True} if place.internally else {})}
        what = f"{sign}{place.number} cannot be answered"
        self._call(what, lambda: notes.create(data), repeatable=False)

    def _events_after(self, time: int) -> Iterator[Mapping[str, Any]]:
        """Yield what was commented on, newest first; older ones may be among it."""
        query: dict[str, Any] = {"action": "commented", "sort": "desc"}
        if time:
            # Whole days, and perhaps not those of UTC.
            day = datetime.fromtimestamp(time, UTC) - timedelta(days=2)
            query["after"] = day.date().isoformat()
        for event in self._project.events.list(iterator=True, **query):
            yield event.attributes

    def _why_not(self, account: Account) -> str:
        if not account.is_person:
            return "it is a bot"
        if self._level_of(account) < _DEVELOPER:
            return "it may not push here"
        what = f"the account {account.name} cannot be looked up"
        if self._call(what, lambda: self._client.users.get(account.id)).attributes.get("bot"):
            return "it is a bot"
        return "the token is its own" if account.id == self._own_id else ""

    @cached_property
    def _own_id(self) -> int:
        what = "whose the token is cannot be looked up"
        found = self._call(what, lambda: cast("dict[str, Any]", self._client.http_get("/user")))
        return int(found["id"])

    @cached_property
    def _client(self) -> Gitlab:
        return gitlab_client(self._url, self._token)

    @cached_property
    def _project(self) -> Project:
        return self._client.projects.get(self._id, lazy=True)

    def _call(self, what: str, ask: Callable[[], T], *, repeatable: bool = True) -> T:
        from gitlab.exceptions import GitlabError  # noqa: PLC0415 - slow to import

        def careful() -> T:
            try:
                return ask()
            except (GitlabError, AttributeError, KeyError, TypeError, ValueError) as error:
                raise Refusal(0, f"an answer that cannot be read: {error}", {}) from None

        return self._patience.call(what, careful, repeatable=repeatable)

    def _change(self, request: ForgeRequest, data: dict[str, Any], what: str) -> None:
        self._call(
            f"!{request.number} {what}",
            lambda: self._project.mergerequests.update(request.number, data),
        )

    def _list_requests(
        self,
        what: str,
        state: str,
        target: str,
        **more: Any,  # noqa: ANN401 - fields of the query
    ) -> list[dict[str, Any]]:
        found = self._call(
            what,
            lambda: [
                one.attributes
                for one in self._project.mergerequests.list(
                    state=state, target_branch=target, get_all=True, **more
                )
            ],
        )
        # A branch of the same name in somebody's fork is not ours.
        return [one for one in found if one["source_project_id"] == one["target_project_id"]]

    def _level_of(self, account: Account) -> int:
        """Return the access level that an account has in the project, 0 for none."""
        what = f"the rights of {account.name} cannot be looked up"
        try:
            member = self._call(what, lambda: self._project.members_all.get(account.id))
        except ForgeError as error:
            if error.status == 404:
                return 0
            raise
        is_active = member.attributes.get("state", "active") == "active"
        return int(member.attributes["access_level"]) if is_active else 0

    def _rules_of(self, target: str) -> list[Mapping[str, Any]]:
        """Return who may merge into a branch: any of these rules is enough."""
        what = f"the rules of the branch {target} cannot be looked up"
        try:
            found = self._call(what, lambda: self._project.protectedbranches.list(get_all=True))
        except ForgeError as error:
            if error.status in {403, 404}:  # the token may not know; nobody may do more than these
                return [{"access_level": _MAINTAINER}]
            raise
        rules = [one.attributes for one in found if fnmatchcase(target, one.attributes["name"])]
        if not rules:
            return [{"access_level": _DEVELOPER}]
        return [level for rule in rules for level in rule.get("merge_access_levels") or ()]

    def _user_id(self, name: str) -> int:
        what = f"the user {name} cannot be looked up"
        found = self._call(what, lambda: self._client.users.list(username=name, get_all=False))
        return int(found[0].attributes["id"]) if found else 0


def _read(data: Mapping[str, Any]) -> ForgeRequest:
    return ForgeRequest(
        number=int(data["iid"]),
        branch=data["source_branch"],
        commit=data.get("sha") or "",
        url=data["web_url"],
        labels=frozenset(data.get("labels") or ()),
        title=data["title"],
        description=data.get("description") or "",
        state=_STATES.get(data["state"], RequestState.CLOSED),
    )


def _allows(rule: Mapping[str, Any], account: Account, level: int) -> bool:
    if level < _DEVELOPER:
        return False
    if rule.get("user_id"):
        return bool(rule["user_id"] == account.id)
    # Of groups nobody tells who is in them; their members count by their level elsewhere.
    wanted = rule.get("access_level") or 0
    return not rule.get("group_id") and 0 < wanted <= level


def _label_events(events: Iterable[Mapping[str, Any]]) -> Iterator[LabelEvent]:
    for event in events:
        user, label = event.get("user"), event.get("label")
        if not user or not label:  # both may be gone since
            continue
        name = str(user["username"])
        yield LabelEvent(
            label=label["name"],
            is_added=event["action"] == "add",
            account=Account(int(user["id"]), name, is_person=not is_token(name)),
            time=seconds(event["created_at"]),
        )
