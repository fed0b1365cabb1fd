"""Asks GitHub for the tips of many branches by one question, where there is a token for it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from caur_ci.update.vcs.smart_http import absence
from caur_ci.update.vcs.tip import Tip, TipError, TipProblem, TipTrouble
from caur_ci.web import WebError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from caur_ci.update.vcs.entries import Place
    from caur_ci.web import WebPool

_API = "https://api.github.com/graphql"
MOST_REPOSITORIES = 100
_HOSTS = frozenset({"github.com", "www.github.com"})
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LARGEST_ANSWER = 8 * 1024**2
_FRAGMENTS = (
    "fragment tip on Ref { name target { oid } }",
    "fragment counted on Ref { name target { oid ... on Commit { history { totalCount } } } }",
)

Repository = tuple[str, str]


def repository_of(place: Place) -> Repository | None:
    """Return owner and name of a repository at GitHub, None for any other place."""
    parts = urlsplit(place.url)
    if place.tool != "git" or parts.scheme not in {"http", "https"} or parts.netloc not in _HOSTS:
        return None
    owner, _, name = parts.path.strip("/").partition("/")
    name = name.removesuffix(".git")
    return (owner, name) if _OWNER.fullmatch(owner) and _NAME.fullmatch(name) else None


def batches(places: Iterable[Place]) -> list[tuple[Place, ...]]:
    """Return the places that are at GitHub, by the questions that they are asked in."""
    by_repository: defaultdict[Repository, list[Place]] = defaultdict(list)
    for place in sorted(set(places)):
        if repository := repository_of(place):
            by_repository[repository].append(place)
    groups = list(by_repository.values())
    return [
        tuple(place for group in groups[start : start + MOST_REPOSITORIES] for place in group)
        for start in range(0, len(groups), MOST_REPOSITORIES)
    ]


class GitHub:
    """Asks GitHub's GraphQL API with `token`.

    Of the places in `counted` it also asks how many commits there are.
    """

    def __init__(self, web: WebPool, token: str, *, counted: Collection[Place] = ()) -> None:
        self._web = web
        self._token = token
        self._counted = counted

    def tips(self, places: tuple[Place, ...]) -> dict[Place, Tip | TipProblem]:
        """Return what is known of places of one batch; nothing of those to be asked elsewhere.

        Raises TipError.
        """
        asked = {place: repository_of(place) for place in places}
        repositories = list(dict.fromkeys(it for it in asked.values() if it))
        refs = {
            place: (f"r{repositories.index(repository)}", f"b{number}" if place.branch else "head")
            for number, (place, repository) in enumerate(asked.items())
            if repository
        }
        data = self._data(*self._question(repositories, refs))
        found: dict[Place, Tip | TipProblem] = {}
        for place, (alias, ref) in refs.items():
            repository = data.get(alias)
            # One that is private, renamed or gone: git itself says which.
            if isinstance(repository, dict) and ref in repository:
                answer = _tip(place, repository, repository[ref])
                if answer is not None:
                    found[place] = answer
        return found

    def _question(
        self, repositories: list[Repository], refs: Mapping[Place, tuple[str, str]]
    ) -> tuple[str, dict[str, str]]:
        """Return the query and its variables; no text from outside is in the query itself."""
        variables: dict[str, str] = {}
        fields: dict[str, dict[str, str]] = {}
        for number, (owner, name) in enumerate(repositories):
            variables |= {f"owner{number}": owner, f"name{number}": name}
            fields[f"r{number}"] = {"head": "head: defaultBranchRef { ...tip }"}
        for place, (alias, ref) in refs.items():
            wanted = "defaultBranchRef"
            if place.branch:
                variables[ref] = f"refs/heads/{place.branch}"
                wanted = f"ref(qualifiedName: ${ref})"
            fragment = "counted" if place in self._counted else "tip"
            fields[alias][ref] = f"{ref}: {wanted} {{ ...{fragment} }}"
        text = "\n".join(
            f"{alias}: repository(owner: $owner{alias[1:]}, name: $name{alias[1:]}) "
            f"{{ {' '.join(its.values())} }}"
            for alias, its in fields.items()
        )
        declared = ", ".join(f"${name}: String!" for name in variables)
        used = [it for it in _FRAGMENTS if f"...{it.split()[1]} " in text]
        return "\n".join((f"query({declared}) {{", text, "}", *used)), variables

    def _data(self, query: str, variables: Mapping[str, str]) -> Mapping[str, Any]:
        body = json.dumps({"query": query, "variables": variables}, sort_keys=True).encode()
        headers = {"Authorization": f"bearer {self._token}", "Content-Type": "application/json"}
        try:
            answer = self._web.send(
                "POST", _API, headers=headers, body=body, largest=_LARGEST_ANSWER
            )
        except WebError as error:
            raise TipError(error.message, TipTrouble.UNREACHABLE) from None
        if answer.status != 200:
            told = f"{_API} answered with status {answer.status}"
            raise TipError(told, TipTrouble.UNREACHABLE)
        try:
            data = json.loads(answer.content)["data"]
        except (ValueError, KeyError, TypeError, RecursionError):
            data = None
        if not isinstance(data, dict):
            told = f"{_API}: the answer makes no sense"
            raise TipError(told, TipTrouble.UNREACHABLE)
        return data


def _tip(place: Place, repository: Mapping[str, Any], ref: object) -> Tip | TipProblem | None:
    """Return what a ref of an answer is, None where it makes no sense."""
    head = repository.get("head")
    default = str(head.get("name", "")) if isinstance(head, dict) else ""
    if ref is None:
        is_empty = head is None
        return TipProblem(absence(place, default, is_empty=is_empty), TipTrouble.ABSENT)
    try:
        target = ref["target"]  # type: ignore[index]
        commit, name = target["oid"], ref["name"]  # type: ignore[index]
        total = target.get("history", {}).get("totalCount", 0)
    except (TypeError, KeyError, AttributeError):
        return None
    if not (isinstance(commit, str) and _OBJECT_ID.fullmatch(commit) and isinstance(name, str)):
        return None
    return Tip(commit, name, total if type(total) is int and total > 0 else 0)
