"""Pull requests at GitHub, and at GitHub Enterprise."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote

import requests

from caur_ci.forge_clients import Refusal, github_client
from caur_ci.review.comments import MOST_READ, Comment, Comments, Place, PlaceKind
from caur_ci.review.forge import (
    Account,
    ForgeError,
    ForgeRequest,
    LabelEvent,
    RequestHistory,
    RequestState,
)
from caur_ci.review.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from github import Github
    from github.Issue import Issue
    from github.IssueComment import IssueComment
    from github.IssueEvent import IssueEvent
    from github.NamedUser import NamedUser
    from github.PullRequest import PullRequest
    from github.Repository import Repository

    from caur_ci.review.forge import Proposal

T = TypeVar("T")

_COLOUR = "6699cc"
_LABEL_ACTIONS = {"labeled": True, "unlabeled": False}
_MERGERS = frozenset({"admin", "write"})


class GitHubForge:
    """The repository `repository` (`owner/name`) at the server whose API is at `api`.

    `page` is the repository's own page, `pauses` are the seconds between any two calls and between
    two that change something, which GitHub asks for.
    """

    name = "GitHub"

    def __init__(
        self,
        api: str,
        repository: str,
        token: str,
        *,
        page: str = "",
        patience: Patience | None = None,
        pauses: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self._api = api.rstrip("/")
        self._full_name = repository
        self._token = token
        self._page = page
        self._patience = patience or Patience(self.name, token)
        self._pauses = pauses
        self._may_merge: dict[str, bool] = {}
        self._own: int | None = None

    def open_requests(self, target: str) -> Sequence[ForgeRequest]:
        """Return all open requests into the branch `target`, from branches of this repository."""
        return self._list_pulls("pull requests cannot be listed", state="open", base=target)

    def latest(self, branch: str, target: str) -> ForgeRequest | None:
        """Return the newest request from `branch` into `target`, whatever its state."""
        head = f"{self._full_name.partition('/')[0]}:{branch}"
        what = f"the pull requests of {branch} cannot be listed"
        found = self._list_pulls(what, state="all", base=target, head=head)
        return max(found, key=lambda one: one.number, default=None)

    def history(self, request: ForgeRequest) -> RequestHistory:
        """Return what happened to a request."""
        what = f"the history of #{request.number} cannot be read"
        issue = self._repository.get_issue(request.number)
        return self._call(what, lambda: _history(issue.get_events()))

    def may_merge(self, account: Account, target: str) -> bool:  # noqa: ARG002
        """Tell whether the forge lets this account merge: whoever may push, at GitHub."""
        if account.name not in self._may_merge:
            self._may_merge[account.name] = self._permission_of(account) in _MERGERS
        return self._may_merge[account.name]

    def create(self, proposal: Proposal) -> ForgeRequest:
        """Open a request for a branch that exists, without labels and people."""
        return self._call(
            f"no pull request can be opened for {proposal.branch}",
            lambda: _read(
                self._repository.create_pull(
                    base=proposal.target,
                    head=proposal.branch,
                    title=proposal.title,
                    body=proposal.description,
                )
            ),
            repeatable=False,
        )

    def rewrite(self, request: ForgeRequest, proposal: Proposal, *, drop: Sequence[str]) -> None:
        """Give an open request another title and description, and take the labels in `drop` off."""
        what = f"#{request.number} cannot be brought up to date"
        issue = self._repository.get_issue(request.number)
        for label in drop:
            self._call(what, partial(_remove_label, issue, label))
        pull = self._repository.get_pull(request.number)
        self._call(what, lambda: pull.edit(title=proposal.title, body=proposal.description))

    def complete(self, request: ForgeRequest, proposal: Proposal) -> Sequence[str]:
        """Ask people to look at a request, and label it; return those whom GitHub does not take."""
        issue = self._repository.get_issue(request.number)
        refused: list[str] = []
        if proposal.assignees:
            what = f"#{request.number} cannot be assigned"
            self._call(what, lambda: issue.add_to_assignees(*proposal.assignees))
            # GitHub says nothing of those whom it leaves out.
            there = {user.login.lower() for user in issue.assignees}
            refused += [name for name in proposal.assignees if name.lower() not in there]
        refused += [name for name in proposal.reviewers if not self._asks(request, name)]
        what = f"#{request.number} cannot be labelled"
        self._call(what, lambda: issue.add_to_labels(*proposal.labels))
        return list(dict.fromkeys(refused))

    def close(self, request: ForgeRequest, comment: str) -> None:
        """Close a request, and say why."""
        issue = self._repository.get_issue(request.number)
        what = f"#{request.number} cannot be closed"
        pull = self._repository.get_pull(request.number)
        self._call(what, lambda: pull.edit(state="closed"))
        what = f"#{request.number} is closed, and cannot be commented on"
        self._call(what, lambda: issue.create_comment(comment), repeatable=False)

    def provide_labels(self, labels: Sequence[tuple[str, str]]) -> None:
        """See that labels exist, each with a sentence on what it means."""
        what = "the labels cannot be made"
        there = self._call(what, lambda: {it.name for it in self._repository.get_labels()})
        for name, meaning in labels:
            if name not in there:
                make = partial(self._repository.create_label, name, _COLOUR, meaning)
                self._call(what, make)

    def comparison(self, branch: str, target: str) -> str:
        """Return the address of the page that shows what a branch changes, or nothing."""
        between = f"{quote(target, safe='/')}...{quote(branch, safe='/')}"
        return f"{self._page}/compare/{between}" if self._page else ""

    def latest_comment(self) -> int:
        """Return when the newest comment was made, in Unix seconds; 0 where there is none."""
        what = "comments cannot be listed"
        newest = self._repository.get_issues_comments(sort="created", direction="desc")
        times = self._call(what, lambda: [it.created_at for it in islice(newest, 1)])
        return int(times[0].timestamp()) if times else 0

    def comments_since(self, time: int) -> Comments:
        """Return the comments that were made after `time`, in Unix seconds."""
        what = "comments cannot be listed"
        # Those that were edited since are among them, whenever they were made.
        changed = self._repository.get_issues_comments(
            sort="created", direction="desc", since=datetime.fromtimestamp(time, UTC)
        )

        def ask() -> Comments:
            found: list[Comment] = []
            for number, one in enumerate(changed):
                is_older = one.created_at.timestamp() <= time
                if is_older or number == MOST_READ:
                    return Comments(tuple(reversed(found)), is_complete=is_older)
                found += _comments(one)
            return Comments(tuple(reversed(found)))

        return self._call(what, ask)

    def why_not_obeyed(self, account: Account) -> str:
        """Return why nothing is done for an account; empty for one that may push."""
        if not account.is_person:
            return "it is a bot"
        if not self.may_merge(account, ""):
            return "it may not push here"
        return "the token is its own" if account.id == self._own_id() else ""

    def answer(self, place: Place, text: str) -> None:
        """Comment on an issue or a request."""
        what = f"#{place.number} cannot be answered"
        issue = self._repository.get_issue(place.number)
        self._call(what, lambda: issue.create_comment(text), repeatable=False)

    def _own_id(self) -> int:
        """Return the account of the token; 0 for those of apps, which are bots."""
        if self._own is None:
            what = "whose the token is cannot be looked up"
            try:
                self._own = self._call(what, lambda: self._client.get_user().id)
            except ForgeError as error:
                if error.status not in {403, 404}:
                    raise
                self._own = 0
        return self._own

    @cached_property
    def _client(self) -> Github:
        return github_client(self._api, self._token, pauses=self._pauses)

    @cached_property
    def _repository(self) -> Repository:
        return self._client.get_repo(self._full_name)

    def _call(self, what: str, ask: Callable[[], T], *, repeatable: bool = True) -> T:
        from github import BadAttributeException, GithubException  # noqa: PLC0415

        unreadable = (BadAttributeException, AssertionError, AttributeError, TypeError, ValueError)

        def careful() -> T:
            try:
                return ask()
            except GithubException as error:
                headers = {key.lower(): value for key, value in (error.headers or {}).items()}
                raise Refusal(error.status, _said(error.data), headers) from None
            except requests.RequestException as error:
                raise Refusal(0, type(error).__name__, {}) from None
            except unreadable as error:
                raise Refusal(0, f"an answer that cannot be read: {error}", {}) from None

        return self._patience.call(what, careful, repeatable=repeatable)

    def _list_pulls(self, what: str, **which: str) -> list[ForgeRequest]:
        def ask() -> list[ForgeRequest]:
            return [
                _read(pull) for pull in self._repository.get_pulls(**which) if self._is_own(pull)
            ]

        return self._call(what, ask)

    def _is_own(self, pull: PullRequest) -> bool:
        """Tell whether the branch is here: one of the same name in somebody's fork is not ours."""
        repository = cast("Repository | None", pull.head.repo)  # None where it was removed
        return repository is not None and repository.full_name.lower() == self._full_name.lower()

    def _permission_of(self, account: Account) -> str:
        what = f"the rights of {account.name} cannot be looked up"
        name = quote(account.name, safe="")
        try:
            return self._call(what, lambda: self._repository.get_collaborator_permission(name))
        except ForgeError as error:
            if error.status == 404:
                return "none"
            raise

    def _asks(self, request: ForgeRequest, name: str) -> bool:
        """Ask somebody for a review; tell whether GitHub lets them be asked."""
        pull = self._repository.get_pull(request.number)
        what = f"no review of #{request.number} can be asked for"
        try:
            self._call(what, lambda: pull.create_review_request([name]))
        except ForgeError as error:
            if error.status != 422:
                raise
            return False
        return True


def _read(pull: PullRequest) -> ForgeRequest:
    state = RequestState.OPEN if pull.state == "open" else RequestState.CLOSED
    return ForgeRequest(
        number=pull.number,
        branch=pull.head.ref,
        commit=pull.head.sha,
        url=pull.html_url,
        labels=frozenset(label.name for label in pull.labels),
        title=pull.title,
        description=(pull.body or "").replace("\r\n", "\n"),
        state=RequestState.MERGED if pull.merged_at else state,
    )


def _comments(comment: IssueComment) -> Iterator[Comment]:
    """Yield a comment, unless the account is gone."""
    page = comment.html_url
    kind = PlaceKind.REQUEST if "/pull/" in page else PlaceKind.ISSUE
    user = cast("NamedUser | None", comment.user)
    if user is None:
        return
    yield Comment(
        id=comment.id,
        place=Place(kind, int(comment.issue_url.rpartition("/")[2])),
        text=comment.body or "",
        account=Account(user.id, user.login, is_person=user.type == "User"),
        time=int(comment.created_at.timestamp()),
        url=page,
    )


def _history(events: Iterable[IssueEvent]) -> RequestHistory:
    pushed = 0
    labels: list[LabelEvent] = []
    for event in events:
        time = int(event.created_at.timestamp())
        if event.event == "head_ref_force_pushed":
            pushed = max(pushed, time)
        elif event.event in _LABEL_ACTIONS and event.actor is not None:
            account = Account(
                event.actor.id, event.actor.login, is_person=event.actor.type == "User"
            )
            labels.append(LabelEvent(event.label.name, _LABEL_ACTIONS[event.event], account, time))
    return RequestHistory(pushed, tuple(labels))


def _remove_label(issue: Issue, label: str) -> None:
    from github import GithubException  # noqa: PLC0415 - slow to import

    try:
        issue.remove_from_labels(label)
    except GithubException as error:
        if error.status != 404:  # somebody was faster
            raise


def _said(data: object) -> str:
    """Return what a refusal says in words."""
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    details = [
        str(one.get("message") or one.get("code") or "") if isinstance(one, dict) else str(one)
        for one in (errors if isinstance(errors, list) else ())
    ]
    return ": ".join(part for part in (str(data.get("message") or ""), "; ".join(details)) if part)
