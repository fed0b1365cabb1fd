"""What the variables of the forges tell, and what of it is believed."""

from __future__ import annotations

import pytest

from caur_ci.pipeline.shared.forge import ForgePipeline

COMMIT, OTHER = "a" * 40, "b" * 40
GITLAB = {
    "GITLAB_CI": "true",
    "CI_COMMIT_SHA": COMMIT,
    "CI_PIPELINE_ID": "12",
    "CI_PIPELINE_URL": "https://gitlab.example.org/x/-/pipelines/12",
    "CI_COMMIT_BRANCH": "main",
    "CI_DEFAULT_BRANCH": "trunk",
    "CI_PROJECT_URL": "https://gitlab.example.org/x",
}
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SHA": COMMIT,
    "GITHUB_RUN_ID": "34",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "owner/name",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
}


def test_gitlab() -> None:
    assert ForgePipeline.from_environment(GITLAB) == ForgePipeline(
        forge="gitlab",
        branch="refs/heads/main",
        commit=COMMIT,
        pipeline_id="12",
        url="https://gitlab.example.org/x/-/pipelines/12",
        project="https://gitlab.example.org/x",
    )


def test_github() -> None:
    assert ForgePipeline.from_environment(GITHUB) == ForgePipeline(
        forge="github",
        branch="refs/heads/main",
        commit=COMMIT,
        pipeline_id="34",
        url="https://github.com/owner/name/actions/runs/34",
        project="https://github.com/owner/name",
    )


@pytest.mark.parametrize(
    ("environ", "page"),
    [
        (GITLAB, "https://gitlab.example.org/x/-/commits/main/lib++"),
        (GITHUB, "https://github.com/owner/name/commits/main/lib++"),
        (
            GITHUB | {"GITHUB_SERVER_URL": "https://git.example.org:8443"},
            "https://git.example.org:8443/owner/name/commits/main/lib++",
        ),
        (GITLAB | {"CI_PROJECT_URL": "https://u:p@example.org/x"}, ""),
        ({}, ""),
    ],
    ids=["gitlab", "github", "enterprise", "password", "laptop"],
)
def test_the_page_with_the_history_of_a_folder(environ: dict[str, str], page: str) -> None:
    assert ForgePipeline.from_environment(environ).history_page("lib++") == page


def test_a_laptop() -> None:
    assert ForgePipeline.from_environment({"CI_COMMIT_SHA": COMMIT}) == ForgePipeline()


@pytest.mark.parametrize(
    ("changes", "branch"),
    [
        ({"CI_COMMIT_BRANCH": ""}, "refs/heads/trunk"),
        ({"CI_COMMIT_BRANCH": "a/b.c+d-1"}, "refs/heads/a/b.c+d-1"),
        ({"CI_COMMIT_BRANCH": "-x"}, ""),
        ({"CI_COMMIT_BRANCH": "a b"}, ""),
        ({"CI_COMMIT_BRANCH": "x" * 252}, ""),
        ({"CI_COMMIT_BRANCH": "main\n"}, ""),
    ],
)
def test_the_branch_of_gitlab(changes: dict[str, str], branch: str) -> None:
    assert ForgePipeline.from_environment(GITLAB | changes).branch == branch


def test_a_tag_of_github_is_no_branch() -> None:
    assert ForgePipeline.from_environment(GITHUB | {"GITHUB_REF_TYPE": "tag"}).branch == ""


@pytest.mark.parametrize("commit", ["", "a" * 39, "A" * 40, "HEAD", f"{COMMIT}\n"])
def test_what_is_no_commit_is_left_out(commit: str) -> None:
    assert ForgePipeline.from_environment(GITLAB | {"CI_COMMIT_SHA": commit}).commit == ""


@pytest.mark.parametrize("number", ["", "x", "1;2", "-1", "1 "])
def test_what_is_no_number_is_left_out(number: str) -> None:
    assert ForgePipeline.from_environment(GITLAB | {"CI_PIPELINE_ID": number}).pipeline_id == ""


@pytest.mark.parametrize(
    "url", ["", "javascript:x", "https://user:pw@e/", "https://e/a b", "ftp://e/", "https://"]
)
def test_what_is_no_plain_address_is_left_out(url: str) -> None:
    assert ForgePipeline.from_environment(GITLAB | {"CI_PIPELINE_URL": url}).url == ""


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (ForgePipeline(), OTHER),
        (ForgePipeline(commit=COMMIT), COMMIT),
        (ForgePipeline(commit=COMMIT, pipeline_id="12"), f"{COMMIT}:12"),
        (ForgePipeline(pipeline_id="12"), f"{OTHER}:12"),
    ],
)
def test_what_commit_statuses_refer_to(pipeline: ForgePipeline, expected: str) -> None:
    assert pipeline.reference(OTHER) == expected


@pytest.mark.parametrize(
    ("forge", "options", "user"),
    [("gitlab", ("ci.skip",), "oauth2"), ("github", (), "x-access-token"), ("", (), "oauth2")],
)
def test_how_it_is_pushed(forge: str, options: tuple[str, ...], user: str) -> None:
    pipeline = ForgePipeline(forge=forge)
    credentials = pipeline.credentials({"ACCESS_TOKEN": "secret"})

    assert pipeline.push_options() == options
    assert credentials is not None
    assert (credentials.user, credentials.token) == (user, "secret")
    assert "secret" not in repr(credentials)


@pytest.mark.parametrize("secrets", [{}, {"ACCESS_TOKEN": ""}, {"GITHUB_TOKEN": "secret"}])
def test_without_a_token_nobody_in_particular_pushes(secrets: dict[str, str]) -> None:
    assert ForgePipeline().credentials(secrets) is None


@pytest.mark.parametrize(
    ("name", "person"), [("alice", "alice"), ("bot-1[bot]", "bot-1[bot]"), ("a b", ""), ("a\n", "")]
)
def test_who_started_it(name: str, person: str) -> None:
    assert ForgePipeline.from_environment(GITLAB | {"GITLAB_USER_LOGIN": name}).person == person
    assert ForgePipeline.from_environment(GITHUB | {"GITHUB_ACTOR": name}).person == person
