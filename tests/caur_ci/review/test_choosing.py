"""Which forge a pipeline runs at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.environment import Secrets
from caur_ci.review import choose_forge
from tests.caur_ci.review.forges import KINDS, forge_of_kind
from tests.support.forges.server import TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

GITLAB = {
    "GITLAB_CI": "true",
    "CI_SERVER_URL": "https://gitlab.example.org",
    "CI_PROJECT_ID": "7",
    "CI_PROJECT_URL": "https://gitlab.example.org/g/p",
}
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://github.example.org/api/v3",
    "GITHUB_REPOSITORY": "owner/name",
    "GITHUB_SERVER_URL": "https://github.example.org",
}


@pytest.mark.parametrize(
    ("environ", "secret", "name", "page"),
    [
        (GITLAB, "ACCESS_TOKEN", "GitLab", "https://gitlab.example.org/g/p/-/compare/main...x"),
        (
            GITHUB,
            "ACCESS_TOKEN",
            "GitHub",
            "https://github.example.org/owner/name/compare/main...x",
        ),
        (
            GITHUB,
            "GITHUB_TOKEN",
            "GitHub",
            "https://github.example.org/owner/name/compare/main...x",
        ),
    ],
)
def test_by_the_predefined_variables(
    environ: Mapping[str, str], secret: str, name: str, page: str
) -> None:
    choice = choose_forge(environ, Secrets({secret: TOKEN}))

    assert choice.forge is not None
    assert (choice.forge.name, choice.problem) == (name, "")
    assert choice.forge.comparison("x", "main") == page
    assert TOKEN not in repr(choice)


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_talked_to(kind: str) -> None:
    with forge_of_kind(kind) as there:
        changes = {"CI_SERVER_URL": there.url, "GITHUB_API_URL": there.url}
        environ = {**(GITLAB if kind == "gitlab" else GITHUB), **changes}
        choice = choose_forge(environ, Secrets({"ACCESS_TOKEN": TOKEN}))

        assert choice.forge is not None
        assert choice.forge.open_requests("main") == []


@pytest.mark.parametrize(
    ("environ", "token", "problem"),
    [
        ({}, TOKEN, ""),
        (GITLAB, "", "set ACCESS_TOKEN"),
        (GITHUB, "", "give the step GITHUB_TOKEN"),
        ({**GITLAB, "CI_SERVER_URL": "file:///etc"}, TOKEN, "CI_SERVER_URL and CI_PROJECT_ID"),
        ({**GITLAB, "CI_PROJECT_ID": "../x"}, TOKEN, "CI_SERVER_URL and CI_PROJECT_ID"),
        ({**GITHUB, "GITHUB_REPOSITORY": "x"}, TOKEN, "GITHUB_API_URL and GITHUB_REPOSITORY"),
        ({**GITHUB, "FORGEJO_ACTIONS": "true"}, TOKEN, "GitLab and GitHub only"),
        ({**GITHUB, "GITEA_ACTIONS": "true"}, TOKEN, "GitLab and GitHub only"),
    ],
)
def test_none(environ: Mapping[str, str], token: str, problem: str) -> None:
    choice = choose_forge(environ, Secrets({"ACCESS_TOKEN": token}))

    assert choice.forge is None
    assert problem in choice.problem
    assert bool(problem) is bool(choice.problem)
