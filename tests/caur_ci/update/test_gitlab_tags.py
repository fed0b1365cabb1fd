"""What a GitLab server says of its tags, and what becomes of its refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.update.gitlab_tags import GitLabServer, GitLabTags, TagsError, choose_server
from tests.support.gitlab_tags import Refusal, TagServer, tag_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = "a" * 40
TOKEN = "glpat-s3cret"
CI = {"GITLAB_CI": "true", "CI_SERVER_URL": "https://git.example.org"}


@pytest.fixture
def there() -> Iterator[TagServer]:
    with tag_server() as made:
        made.projects["group/tool"] = [("v1.1", ID), ("v1.0", ID)]
        yield made


def listed(there: TagServer, project: str = "group/tool", *, token: str = "") -> list[str]:
    pauses: list[float] = []
    lister = GitLabTags(GitLabServer(there.url, token), sleep=pauses.append)
    names = [tag.name for tag in lister.of(project)]
    assert all(pause <= 60 for pause in pauses)
    return names


def refused(there: TagServer, project: str = "group/tool", *, token: str = "") -> str:
    with pytest.raises(TagsError) as caught:
        listed(there, project, token=token)
    return caught.value.message


@pytest.mark.parametrize("project", ["group/tool", "12345"])
def test_tags_are_listed_with_their_commits(there: TagServer, project: str) -> None:
    there.projects[project] = [("v1.1", ID), ("v1.0", ID)]

    (tag, _) = GitLabTags(GitLabServer(there.url)).of(project)

    assert (tag.name, tag.commit) == ("v1.1", ID)
    assert tag.page == f"{there.url}/group/tool/-/commit/{ID}"
    assert "order_by=version" in there.asked[0]


def test_sorted_versions_need_one_page(there: TagServer) -> None:
    there.projects["group/tool"] = [(f"v1.{number}", ID) for number in range(250, 0, -1)]

    assert listed(there)[0] == "v1.250"
    assert len(there.asked) == 1


def test_others_are_read_to_the_end(there: TagServer) -> None:
    there.projects["group/tool"] = [(f"v1.{number}", ID) for number in range(250)]

    assert "v1.249" in listed(there)
    assert len(there.asked) == 3


def test_a_first_page_without_versions_is_not_the_end(there: TagServer) -> None:
    nightly = [(f"nightly-{number}", ID) for number in range(150)]
    there.projects["group/tool"] = [*nightly, ("v1", ID)]

    assert listed(there)[-1] == "v1"


def test_a_project_without_tags_has_none(there: TagServer) -> None:
    there.projects["group/tool"] = []
    assert listed(there) == []


def test_private_projects_need_the_token(there: TagServer) -> None:
    there.token = TOKEN
    there.private.add("group/tool")

    assert listed(there, token=TOKEN) == ["v1.1", "v1.0"]
    assert "no such project, or it is not for us" in refused(there)


def test_a_token_that_is_refused_does_not_hide_what_is_public(there: TagServer) -> None:
    there.token = "another"

    assert listed(there, token=TOKEN) == ["v1.1", "v1.0"]
    assert there.tokens == [TOKEN, ""]


@pytest.mark.parametrize(
    ("status", "asked", "told"),
    [(401, 1, "token"), (403, 1, "token"), (404, 1, "no such project"), (418, 1, "status 418")],
)
def test_what_is_refused_is_not_asked_again(
    there: TagServer, status: int, asked: int, told: str
) -> None:
    there.refusals = [Refusal(status)]

    assert told in refused(there)
    assert len(there.asked) == asked


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_may_pass_is_asked_again(there: TagServer, status: int) -> None:
    there.refusals = [Refusal(status, times=2, headers={"Retry-After": "7"})]

    assert listed(there) == ["v1.1", "v1.0"]
    assert len(there.asked) == 3


def test_it_does_not_wait_for_as_long_as_a_server_likes(there: TagServer) -> None:
    there.refusals = [Refusal(429, headers={"Retry-After": "86400"})]

    assert "fewer requests" in refused(there)
    assert len(there.asked) == 1


@pytest.mark.parametrize(
    "body", ["", "<html>", "{}", "[1]", '[{"name":1}]', json.dumps([{"name": "v1"}]), "[" * 9999]
)
def test_answers_that_make_no_sense_are_told(there: TagServer, body: str) -> None:
    there.refusals = [Refusal(200, body=body)]
    assert "no list of tags" in refused(there)


def test_a_server_that_is_not_there_is_told(there: TagServer) -> None:
    there.url = "http://127.0.0.1:1"
    assert "no connection" in refused(there)


def test_the_token_stays_at_its_server(there: TagServer) -> None:
    with tag_server() as other:
        other.projects["group/tool"] = [("v9", ID)]
        target = f"{other.url.replace('127.0.0.1', 'localhost')}/api/v4/projects/group%2Ftool"
        there.refusals = [Refusal(302, headers={"Location": f"{target}/repository/tags"})]

        assert listed(there, token=TOKEN) == ["v9"]

        assert there.tokens == [TOKEN]
        assert other.tokens == [""]


class TestChoice:
    """Which server is meant, and who gets the token."""

    def test_the_one_that_runs_the_pipeline_gets_the_token(self) -> None:
        assert choose_server("", CI, {"ACCESS_TOKEN": TOKEN}) == GitLabServer(
            "https://git.example.org", TOKEN
        )

    def test_another_one_that_is_configured_gets_none(self) -> None:
        found = choose_server("https://gitlab.com/", CI, {"ACCESS_TOKEN": TOKEN})
        assert found == GitLabServer("https://gitlab.com", "")

    def test_elsewhere_it_is_gitlab_com(self) -> None:
        assert choose_server("", {}, {"ACCESS_TOKEN": TOKEN}) == GitLabServer()
        assert TOKEN not in repr(GitLabServer("x", TOKEN))
