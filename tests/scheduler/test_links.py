"""Where links in messages and statuses lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.links import commit_link, commit_of, log_link, started_of, web_place
from scheduler.logs import LogStore

if TYPE_CHECKING:
    from redis import Redis

SHA = "0123456789abcdef" * 2 + "01234567"
GITLAB = f"https://gitlab.example.org/g/p/-/commit/{SHA}"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://gitlab.example.org/g/p.git", GITLAB),
        ("https://me:s3cret@gitlab.example.org/g/p", GITLAB),
        ("git@gitlab.example.org:g/p.git", GITLAB),
        ("ssh://git@gitlab.example.org:2222/g/p.git", GITLAB),
        ("http://gitlab.example.org:8080/g/p/", f"http://gitlab.example.org:8080/g/p/-/commit/{SHA}"),
        ("https://github.com/o/n.git", f"https://github.com/o/n/commit/{SHA}"),
        ("git@github.com:o/n", f"https://github.com/o/n/commit/{SHA}"),
        ("https://codeberg.org/o/n.git", f"https://codeberg.org/o/n/commit/{SHA}"),
        ("https://github.evil.example.org.gitlab/g", f"https://github.evil.example.org.gitlab/g/commit/{SHA}"),
        ("/srv/git/pkgbuilds.git", ""),
        ("file:///srv/git/pkgbuilds.git", ""),
        ("https://", ""),
        ("", ""),
    ],
    ids=str,
)  # fmt: skip
def test_the_page_of_a_commit(url: str, link: str) -> None:
    assert commit_link(url, SHA) == link


def test_what_is_no_commit_has_no_page() -> None:
    assert commit_link("https://github.com/o/n", "main") == ""
    assert web_place("https://u:p@github.com/o/n") == ("https://github.com", "o/n")


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        (f"{SHA}:42", (SHA, "42")),
        (SHA, (SHA, "")),
        (f"{SHA}:x", (SHA, "")),
        ("main:7", ("f" * 40, "7")),
        ("", ("f" * 40, "")),
    ],
    ids=str,
)
def test_commit_and_pipeline(reference: str, found: tuple[str, str]) -> None:
    assert commit_of(reference, "f" * 40) == found


@pytest.mark.parametrize(
    ("page", "started", "link"),
    [
        ("https://x.org/logs.html", 1700000000.1239, "https://x.org/logs.html?timestamp=1700000000123&id=a%2B%2B"),
        ("https://x.org/logs.html", None, "https://x.org/logs.html?id=a%2B%2B"),
        ("https://x.org/?view=log", None, "https://x.org/?view=log&id=a%2B%2B"),
        ("", 1.0, ""),
    ],
    ids=str,
)  # fmt: skip
def test_the_page_of_a_log(page: str, started: float | None, link: str) -> None:
    assert log_link(page, "a++", started) == link


def test_when_a_log_began(redis: Redis) -> None:
    logs = LogStore(redis)
    for attempt in (1, 2):
        logs.start(7, attempt, "repo/x86_64/a")
        logs.append(7, attempt, b"text")
    began = {entry.attempt: entry.started for entry in logs.of_package("repo/x86_64/a")}

    assert started_of(logs, "repo/x86_64/a", 7, 2) == began[2]
    assert started_of(logs, "repo/x86_64/a", 7, 3) is None
