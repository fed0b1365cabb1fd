"""What a forge knows of requests, people and labels, and what becomes of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.git import git

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = 1_800_000_000
FORK = "stranger"


@dataclass
class Person:
    """An account. `level` is that of GitLab: 30 may push, 40 may merge into protected branches."""

    id: int
    name: str
    level: int = 40
    is_bot: bool = False


@dataclass
class Request:
    """A merge or pull request. `versions` are the commits that its branch was at, and since when;
    `events` are labels put on and taken off.
    """

    number: int
    branch: str
    target: str
    title: str
    description: str
    commit: str
    author: str = "bot"
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    versions: list[tuple[str, int]] = field(default_factory=list)
    events: list[tuple[str, bool, str, int]] = field(default_factory=list)
    is_of_fork: bool = False
    removes_branch: bool = False


@dataclass
class Remark:
    """A comment on an issue or a request. `kind` is `issue` or `request`, or what else there is."""

    id: int
    who: str
    text: str
    time: int
    kind: str = "issue"
    number: int = 1
    is_internal: bool = False
    is_system: bool = False
    changed: int = 0


@dataclass
class Fault:
    """An answer in place of the right one, to requests whose `METHOD /path` contains `where`.

    A `status` of 0 ends the connection without an answer.
    """

    status: int
    where: str = ""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request over HTTP, as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Forge:
    """A project at a forge. With a `remote`, its branches are those of that repository.

    `owner` is the account of the token. `closes_without_branch` is GitHub's habit. `wrong` are
    complaints about calls.
    """

    remote: Path | None = None
    owner: str = "bot"
    closes_without_branch: bool = False
    page_size: int = 100
    now: int = BEGAN
    people: dict[str, Person] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    protected: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def tick(self, seconds: int = 60) -> int:
        self.now += seconds
        return self.now

    def person(self, name: str, level: int = 40, *, is_bot: bool = False) -> Person:
        self.people[name] = Person(len(self.people) + 1, name, level, is_bot)
        return self.people[name]

    def request(self, number: int) -> Request:
        return self.requests[number - 1]

    def open(self) -> list[Request]:
        self.sync()
        return [one for one in self.requests if one.state == "open"]

    def add(
        self,
        branch: str,
        target: str,
        title: str,
        description: str,
        *,
        commit: str = "",
        state: str = "open",
        is_of_fork: bool = False,
        removes_branch: bool = False,
    ) -> Request:
        """Open a request, as anybody may."""
        commit = commit or self._branches().get(branch, "")
        made = Request(
            len(self.requests) + 1,
            branch,
            target,
            title,
            description,
            commit,
            state=state,
            is_of_fork=is_of_fork,
            removes_branch=removes_branch,
            versions=[(commit, self.tick())],
        )
        self.requests.append(made)
        return made

    def say(self, number: int, label: str, who: str) -> None:
        """Let somebody put a label on a request."""
        self.sync()
        one = self.request(number)
        if label not in one.labels:
            one.labels.append(label)
        one.events.append((label, True, who, self.tick()))

    def unsay(self, number: int, label: str, who: str) -> None:
        one = self.request(number)
        if label in one.labels:
            one.labels.remove(label)
            one.events.append((label, False, who, self.tick()))

    def remark(
        self,
        who: str,
        text: str,
        *,
        kind: str = "issue",
        number: int = 1,
        is_internal: bool = False,
        is_system: bool = False,
    ) -> Remark:
        """Let somebody comment."""
        time = self.tick()
        made = Remark(
            len(self.remarks) + 1, who, text, time, kind, number, is_internal, is_system, time
        )
        self.remarks.append(made)
        return made

    def edit(self, remark: Remark, text: str) -> None:
        remark.text, remark.changed = text, self.tick()

    def answers(self, number: int = 1, kind: str = "issue") -> list[str]:
        """Return what the owner of the token said."""
        return [
            it.text
            for it in self.remarks
            if (it.who, it.number, it.kind) == (self.owner, number, kind)
        ]

    def merge(self, number: int) -> None:
        """Let somebody press the button."""
        assert self.remote
        self.sync()
        one = self.request(number)
        tree = git(self.remote, "merge-tree", "--write-tree", one.target, one.branch)
        parents = ("-p", one.target, "-p", one.branch)
        message = f"Merge {one.title}\n\n{one.description}".encode()
        commit = git(self.remote, "commit-tree", *parents, tree, stdin=message)
        git(self.remote, "update-ref", f"refs/heads/{one.target}", commit)
        one.state = "merged"

    def sync(self) -> None:
        """See what has become of the branches."""
        branches = self._branches()
        for one in self.requests:
            if one.state != "open" or one.is_of_fork or not branches:
                continue
            commit = branches.get(one.branch)
            if commit is None:
                if self.closes_without_branch:
                    one.state = "closed"
            elif commit != one.commit:
                one.commit = commit
                one.versions.append((commit, self.tick()))
            if self._is_merged(one):
                one.state = "merged"

    def _branches(self) -> dict[str, str]:
        if self.remote is None:
            return self.branches
        lines = git(
            self.remote, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"
        )
        return dict(line.split(" ") for line in lines.splitlines())

    def _is_merged(self, one: Request) -> bool:
        if self.remote is None:
            return False
        merged = git(self.remote, "rev-list", "--count", one.commit, f"^{one.target}")
        return merged == "0"
